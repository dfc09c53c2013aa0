"""``deploy/kubernetes``: valid by the schemas of Kubernetes, at one with itself and with the program."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import jsonschema
import pytest

from stream_attr.worker.ops import web
from tests.deploy.manifests import DEPLOY, command_of, document, documents, option, variables_of

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION = document(FOLDER / "kustomization.yaml")
MANIFESTS = [one for name in KUSTOMIZATION["resources"] for one in documents(FOLDER / name)]
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "kubernetes-1.34.json").read_text(encoding="utf-8"))

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def of_kind(kind):
    return [one for one in MANIFESTS if one["kind"] == kind]


[WORKER] = of_kind("StatefulSet")
[TOPICS] = of_kind("Job")
POD = WORKER["spec"]["template"]
[CONTAINER] = POD["spec"]["containers"]
DEPLOYMENTS = {one["metadata"]["name"].removeprefix("stream-attr-"): one for one in of_kind("Deployment")}
PODS = [POD, TOPICS["spec"]["template"], *(one["spec"]["template"] for one in DEPLOYMENTS.values())]
CONTAINERS = [container for pod in PODS for container in pod["spec"]["containers"]]
LABELS = {**KUSTOMIZATION["labels"][0]["pairs"], **POD["metadata"]["labels"]}


def name_of(manifest):
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def validate(manifest):
    """Hold a manifest against the schema of its kind; what that does not know, it may not have."""
    for name, schema in SCHEMA["$defs"].items():
        properties = schema.get("properties", {})
        if properties.get("kind", {}).get("enum") == [manifest["kind"]] and properties.get(
            "apiVersion", {}
        ).get("enum") == [manifest["apiVersion"]]:
            VALIDATOR.evolve(schema={**SCHEMA, "$ref": f"#/$defs/{name}"}).validate(manifest)
            return
    raise AssertionError(f"no schema for {manifest['apiVersion']} {manifest['kind']}")


@pytest.mark.parametrize("manifest", MANIFESTS, ids=name_of)
def test_a_manifest_is_valid(manifest):
    validate(manifest)


def test_the_schema_is_valid():
    VALIDATOR.check_schema(SCHEMA)


def test_a_misspelt_field_is_found_out():
    with pytest.raises(jsonschema.ValidationError, match="replica"):
        validate({**WORKER, "spec": {**WORKER["spec"], "replica": 2}})


def test_every_file_is_part_of_it():
    for folder in (FOLDER, FOLDER / "monitoring"):
        listed = document(folder / "kustomization.yaml")["resources"]
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in listed if not name.startswith("..")} == files
        assert all((folder / name).exists() for name in listed)


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda one: one["name"])
def test_the_program_takes_what_it_is_told(container):
    said = [word.replace("$(", "").replace(")", "") for word in container["args"]]
    own = {one["name"] for one in container.get("env", ()) if one["name"].startswith("STREAM_ATTR_")}
    connected = ["--connections", __file__] if "STREAM_ATTR_CONNECTIONS" in own else []
    known = variables_of(command_of([*said, *connected]))
    [config] = KUSTOMIZATION["configMapGenerator"]
    names = {literal.partition("=")[0] for literal in config["literals"]}
    assert names | own <= known
    assert container["envFrom"] == [{"configMapRef": {"name": config["name"]}}]
    assert container["image"] == KUSTOMIZATION["images"][0]["name"]


def test_both_make_and_expect_as_many_partitions_as_the_default():
    topics = command_of(["topics", "create"])
    [default] = [param.default for param in topics.params if param.name == "partitions"]
    assert option(TOPICS["spec"]["template"]["spec"]["containers"][0]["args"], "--partitions") == str(default)
    assert WORKER["spec"]["replicas"] <= default


def test_names_in_arguments_are_variables_of_the_pod():
    url = option(CONTAINER["args"], "--web-url")
    assert url is not None
    named = {part.partition(")")[0] for part in url.split("$(")[1:]}
    assert named == {"POD_NAME", "POD_NAMESPACE"}
    assert named <= {one["name"] for one in CONTAINER["env"]}
    assert f".{WORKER['spec']['serviceName']}." in url


def test_workers_are_reached_by_their_names():
    services = {
        one["metadata"]["name"]: one["spec"]
        for one in of_kind("Service")
        if one["spec"]["selector"]["app.kubernetes.io/component"] == "worker"
    }
    assert services[WORKER["spec"]["serviceName"]]["clusterIP"] == "None"
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert str(ports["web"]) == option(CONTAINER["args"], "--web-port")
    for service in services.values():
        assert service["selector"].items() <= LABELS.items()
        assert {port["targetPort"] for port in service["ports"]} <= ports.keys()


def budget_of(component):
    [found] = [
        one
        for one in of_kind("PodDisruptionBudget")
        if one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] == component
    ]
    return found


def test_whatever_selects_the_workers_finds_them():
    budget = budget_of("worker")
    monitor = document(FOLDER / "monitoring" / "pod-monitor.yaml")["spec"]
    [spread] = POD["spec"]["topologySpreadConstraints"]
    for selecting in (WORKER["spec"], budget["spec"], monitor, spread):
        selector = (selecting.get("selector") or selecting["labelSelector"])["matchLabels"]
        assert selector["app.kubernetes.io/component"] == "worker"
        assert selector.items() <= LABELS.items()
    assert {one["port"] for one in monitor["podMetricsEndpoints"]} <= {p["name"] for p in CONTAINER["ports"]}


def test_the_budget_lets_one_worker_go_and_not_all():
    assert budget_of("worker")["spec"]["maxUnavailable"] == 1 < WORKER["spec"]["replicas"]


def test_platforms_are_answered_while_a_gateway_goes():
    assert budget_of("gateway")["spec"]["maxUnavailable"] == 1 < DEPLOYMENTS["gateway"]["spec"]["replicas"]


def test_probes_ask_for_pages_that_there_are():
    pages = []

    class App:
        def page(self, path):
            pages.append(path)
            return lambda view: view

    web.add_routes(App())
    asked = {name: CONTAINER[name]["httpGet"]["path"] for name in CONTAINER if name.endswith("Probe")}
    assert set(asked.values()) <= set(pages)
    # A broker that is away makes a worker unready, and must not make it start again.
    assert asked == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}


def test_workers_and_their_monitor_have_the_token_of_one_secret():
    mounts = {one["name"]: one["mountPath"] for one in CONTAINER["volumeMounts"]}
    [(volume, secret)] = [
        (one["name"], one["secret"]["secretName"]) for one in POD["spec"]["volumes"] if "secret" in one
    ]
    [file] = [one["value"] for one in CONTAINER["env"] if one["name"] == "STREAM_ATTR_WEB_TOKEN_FILE"]
    [endpoint] = document(FOLDER / "monitoring" / "pod-monitor.yaml")["spec"]["podMetricsEndpoints"]
    key = PurePosixPath(file).name
    assert str(PurePosixPath(file).parent) == mounts[volume]
    assert endpoint["authorization"] == {"credentials": {"name": secret, "key": key}}
    head = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8")
    assert f"create secret generic {secret} --from-literal={key}=" in head


def test_whoever_speaks_to_the_broker_can_read_its_password():
    """All get one ConfigMap, and in it the path of a password file, which lies on the Secret's volume."""
    secrets = [[one for one in pod["spec"]["volumes"] if one["name"] == "secret"] for pod in PODS]
    assert secrets == [secrets[0]] * len(PODS)
    for container in CONTAINERS:
        [mount] = [one for one in container["volumeMounts"] if one["name"] == secrets[0][0]["name"]]
        assert mount == {"name": "secret", "mountPath": "/etc/stream-attr", "readOnly": True}


def test_the_state_lies_on_the_volume_in_a_folder_of_its_own():
    [claim] = WORKER["spec"]["volumeClaimTemplates"]
    mounts = {one["name"]: one["mountPath"] for one in CONTAINER["volumeMounts"]}
    [data_dir] = [one["value"] for one in CONTAINER["env"] if one["name"] == "STREAM_ATTR_DATA_DIR"]
    assert PurePosixPath(mounts[claim["metadata"]["name"]]) in PurePosixPath(data_dir).parents
    assert mounts.keys() == {claim["metadata"]["name"], *(one["name"] for one in POD["spec"]["volumes"])}


def test_nothing_runs_as_root_or_writes_beside_its_volumes():
    for pod in (one["spec"] for one in PODS):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert not pod["automountServiceAccountToken"]
    for container in CONTAINERS:
        context = container["securityContext"]
        assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("component", DEPLOYMENTS)
def test_a_deployment_is_asked_by_its_probes_and_its_monitor_and_has_its_secrets(component):
    deployment = DEPLOYMENTS[component]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    own = {"app.kubernetes.io/name": "stream-attr", "app.kubernetes.io/component": component}
    monitor = document(FOLDER / "monitoring" / f"{component}-monitor.yaml")["spec"]
    assert deployment["spec"]["selector"]["matchLabels"] == own == monitor["selector"]["matchLabels"]
    assert deployment["spec"]["template"]["metadata"]["labels"] == own
    [endpoint] = monitor["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": f"stream-attr-{component}"}]
    assert endpoint["authorization"] == {"credentials": {"name": "stream-attr", "key": "web-token"}}
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert ports.pop(endpoint["port"]) == option(container["args"], "--web-port")
    assert set(ports.values()) == ({option(container["args"], "--port")} if ports else set())
    asked = {name: container[name]["httpGet"] for name in container if name.endswith("Probe")}
    assert {name: one["path"] for name, one in asked.items()} == {
        "livenessProbe": "/health",
        "readinessProbe": "/ready",
    }
    assert {one["port"] for one in asked.values()} == {endpoint["port"]}
    head = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8")
    values = {one["name"]: one.get("value", "") for one in container["env"]}
    assert urlsplit(values.get("STREAM_ATTR_DATABASE", "")).password is None
    files = [name for name in values if name.endswith("_FILE")]
    assert "STREAM_ATTR_WEB_TOKEN_FILE" in files
    for name in files:
        file = PurePosixPath(values[name])
        assert str(file.parent) == "/etc/stream-attr"
        assert f"--from-literal={file.name}=" in head


def test_every_deployment_is_hardened_and_bounded():
    assert DEPLOYMENTS.keys() == {"ledger", "console", "gateway", "adapt", "pull"}
    for container in CONTAINERS:
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    for pod in PODS:
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_ledger_and_the_console_have_one_database():
    names = ("STREAM_ATTR_DATABASE", "STREAM_ATTR_DATABASE_PASSWORD_FILE")
    found = [
        DEPLOYMENTS[component]["spec"]["template"]["spec"]["containers"][0]["env"]
        for component in ("ledger", "console")
    ]
    ledger, console = ([one for one in env if one["name"] in names] for env in found)
    assert ledger == console
    assert len(ledger) == 2


def test_people_reach_the_console_by_https_through_a_proxy_that_is_named():
    [container] = DEPLOYMENTS["console"]["spec"]["template"]["spec"]["containers"]
    url = option(container["args"], "--public-url")
    assert url is not None
    assert urlsplit(url).scheme == "https"
    assert option(container["args"], "--proxy")


def test_connections_lie_where_the_gateway_and_adapt_look_for_them():
    for component in ("gateway", "adapt", "pull"):
        pod = DEPLOYMENTS[component]["spec"]["template"]["spec"]
        [container] = pod["containers"]
        values = {one["name"]: one.get("value") for one in container["env"]}
        [mount] = [one for one in container["volumeMounts"] if one["name"] == "connections"]
        [volume] = [one for one in pod["volumes"] if one["name"] == "connections"]
        assert values["STREAM_ATTR_CONNECTIONS"] == f"{mount['mountPath']}/connections.json"
        assert mount["readOnly"]
        head = (FOLDER / "gateway.yaml").read_text(encoding="utf-8")
        assert f"create secret generic {volume['secret']['secretName']} --from-file=connections.json" in head


def test_how_far_pull_has_come_outlasts_its_pod_and_is_never_written_twice_at_once():
    spec = DEPLOYMENTS["pull"]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    position = PurePosixPath(str(option(container["args"], "--position")))
    [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == str(position.parent)]
    [volume] = [one for one in spec["template"]["spec"]["volumes"] if one["name"] == mount["name"]]
    claims = [one["metadata"]["name"] for one in of_kind("PersistentVolumeClaim")]
    assert volume["persistentVolumeClaim"]["claimName"] in claims
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def reachable():
    """By component: the ports of it that somebody may connect to, with who that is."""
    components = {"worker": CONTAINER} | {
        name: one["spec"]["template"]["spec"]["containers"][0] for name, one in DEPLOYMENTS.items()
    }
    found = {}
    for component, container in components.items():
        labels = {"app.kubernetes.io/name": "stream-attr", "app.kubernetes.io/component": component}
        named = {one["name"] for one in container["ports"]}
        allowed = set()
        for policy in of_kind("NetworkPolicy"):
            spec = policy["spec"]
            assert spec["policyTypes"] == ["Ingress"]
            if spec["podSelector"]["matchLabels"].items() <= labels.items():
                for rule in spec.get("ingress", ()):
                    [peer] = rule["from"]
                    [selector] = [one["matchLabels"] for one in peer.values()]
                    allowed |= {
                        (port["port"], *selector.values()) for port in rule["ports"] if port["port"] in named
                    }
        found[component] = allowed
    return found


def test_nobody_connects_but_prometheus_the_ingress_and_workers_to_workers():
    watched, pages = ("web", "monitoring"), "ingress-nginx"
    assert reachable() == {
        "worker": {watched, ("web", "stream-attr")},
        "ledger": {watched},
        "console": {watched, ("pages", pages)},
        "gateway": {watched, ("hooks", pages)},
        "adapt": {watched},
        "pull": {watched},
    }
    [nobody] = [one for one in of_kind("NetworkPolicy") if "ingress" not in one["spec"]]
    assert nobody["spec"]["podSelector"]["matchLabels"] == KUSTOMIZATION["labels"][0]["pairs"]


def test_services_lead_to_ports_that_their_pods_have():
    for service in of_kind("Service"):
        component = service["spec"]["selector"]["app.kubernetes.io/component"]
        container = (
            CONTAINER
            if component == "worker"
            else DEPLOYMENTS[component]["spec"]["template"]["spec"]["containers"][0]
        )
        ports = {one["name"] for one in container["ports"]}
        assert {one["targetPort"] for one in service["spec"]["ports"]} <= ports


def test_the_alerts_are_those_of_prometheus_itself():
    rule = document(FOLDER / "monitoring" / "alerts.yaml")
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == document(DEPLOY / "prometheus" / "alerts.yaml")
