"""``deploy/compose.yaml`` and the image: what they name is there, and what they tell the program it knows."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import click
import jsonschema
import pytest

from tests.deploy.manifests import (
    DEPLOY,
    ROOT,
    command_of,
    document,
    option,
    variables_of,
    with_defaults,
)

WRITTEN = document(DEPLOY / "compose.yaml")
COMPOSE = with_defaults(WRITTEN)
SERVICES = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "stream-attr"}
WORKERS = {name: one for name, one in OURS.items() if one["command"][0] == "worker"}
LEDGER, CONSOLE = SERVICES["ledger"], SERVICES["console"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_it_is_a_compose_file():
    schema = json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(COMPOSE, schema)


@pytest.mark.parametrize("name", OURS)
def test_the_program_takes_what_it_is_told(name):
    service = OURS[name]
    connected = ["--connections", __file__] if "STREAM_ATTR_CONNECTIONS" in service["environment"] else []
    command = command_of([*service["command"], *connected])
    assert set(service["environment"]) <= variables_of(command)
    assert (
        service["environment"]["STREAM_ATTR_BROKER"]
        in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )


def test_an_option_that_the_program_does_not_have_is_found_out():
    with pytest.raises(click.UsageError, match="--web-adress"):
        command_of(["worker", "--web-adress", "0.0.0.0"])
    with pytest.raises(click.UsageError, match="'none' is not a valid integer"):
        command_of(["topics", "create", "--partitions=none"])


def test_there_are_two_workers_that_reach_each_other_each_with_a_volume():
    assert len(WORKERS) == 2
    for name, worker in WORKERS.items():
        assert option(worker["command"], "--web-host") == "0.0.0.0"
        assert urlsplit(option(worker["command"], "--web-url")).netloc == f"{name}:6066"
        assert worker["hostname"] == name
    assert len({volume for worker in WORKERS.values() for volume in worker["volumes"]}) == 2


def test_whoever_asks_a_service_of_ours_needs_its_token():
    token = "/run/secrets/web_token"
    watched = [service for name, service in OURS.items() if name != "topics"]
    assert len(watched) == 7
    for service in watched:
        assert service["environment"]["STREAM_ATTR_WEB_TOKEN_FILE"] == token
    for job in document(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"]:
        assert job["authorization"] == {"credentials_file": token}
    for service in (*watched, SERVICES["prometheus"]):
        assert "web_token" in service["secrets"]


@pytest.mark.parametrize("service", [LEDGER, CONSOLE], ids=["ledger", "console"])
def test_the_ledgers_sink_and_the_console_find_their_database(service):
    given, server = service["environment"], SERVICES["postgres"]["environment"]
    address = urlsplit(given["STREAM_ATTR_DATABASE"])
    assert (address.scheme, address.netloc) == ("postgresql", f"{server['POSTGRES_USER']}@postgres:5432")
    assert address.path == f"/{server['POSTGRES_DB']}"
    assert given["STREAM_ATTR_DATABASE_PASSWORD_FILE"] == server["POSTGRES_PASSWORD_FILE"]
    # The health check of the image asks the worker's port.
    [asked] = re.findall(r"127.0.0.1:(\d+)/health", DOCKERFILE)
    assert option(service["command"], "--web-port") == asked
    assert option(service["command"], "--web-host") == "0.0.0.0"


def test_people_reach_the_console_by_the_port_of_this_machine_that_its_address_names():
    address = urlsplit(option(CONSOLE["command"], "--public-url"))
    assert (address.scheme, address.hostname) == ("http", "127.0.0.1")
    assert CONSOLE["ports"] == [f"127.0.0.1:{address.port}:{option(CONSOLE['command'], '--port')}"]


@pytest.mark.parametrize(
    ("name", "profile"), [("gateway", "platforms"), ("adapt", "platforms"), ("pull", "pull")]
)
def test_what_connects_platforms_runs_where_it_is_asked_for_and_reads_its_connections(name, profile):
    service = SERVICES[name]
    assert service["profiles"] == [profile]
    mounted, *_ = service["volumes"]
    source, target, mode = mounted.split(":")
    assert (DEPLOY / source).is_dir()
    assert mode == "ro"
    assert Path(service["environment"]["STREAM_ATTR_CONNECTIONS"]).parent == Path(target)
    assert "/deploy/connections/*" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    [asked] = re.findall(r"127.0.0.1:(\d+)/health", DOCKERFILE)
    assert option(service["command"], "--web-port") == asked


def test_how_far_pull_has_come_outlasts_its_container():
    service = SERVICES["pull"]
    position = Path(str(option(service["command"], "--position")))
    volumes = dict(one.split(":")[1::-1] for one in service["volumes"])
    assert volumes[str(position.parent)] in COMPOSE["volumes"]


def test_the_image_has_what_ledger_console_gateway_and_adapt_need():
    assert re.search(r'pip install --no-cache-dir "\.\[gateway,ledger,oidc\]"', DOCKERFILE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "stream-attr[console]" in extras["optional-dependencies"]["oidc"]


def lacking(service):
    """What a service that is hardened has, and this one has not."""
    wanted = {
        "cap_drop: [ALL]": service.get("cap_drop") == ["ALL"] and not service.get("cap_add"),
        "no-new-privileges": service.get("security_opt") == ["no-new-privileges:true"],
        "pids_limit": 0 < service.get("pids_limit", 0) <= 1024,
        "mem_limit": re.fullmatch(r"[1-9]\d*[mg]", service.get("mem_limit", "")) is not None,
        "read_only": service.get("read_only") is True,
        "no privileges": not service.keys()
        & {"privileged", "devices", "pid", "ipc", "userns_mode", "network_mode"},
    }
    return {name for name, there in wanted.items() if not there}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_nothing_that_it_need_not(name):
    writes_below_its_programs = {"kafka"}  # settings and logs, when it starts
    assert lacking(SERVICES[name]) == ({"read_only"} if name in writes_below_its_programs else set())


def test_a_service_that_is_not_hardened_is_found_out():
    assert len(lacking({"image": "apache/kafka", "privileged": True})) == 6
    assert lacking({**SERVICES["grafana"], "cap_add": ["NET_RAW"]}) == {"cap_drop: [ALL]"}
    assert lacking({**SERVICES["grafana"], "mem_limit": "0"}) == {"mem_limit"}


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_can_be_pinned_by_its_digest(name):
    image = WRITTEN["services"][name]["image"]
    named = re.fullmatch(r"\$\{(\w+_IMAGE):-(.+)\}", image)
    assert named is not None
    variable, default = named.groups()
    assert variable == "STREAM_ATTR_IMAGE" or re.search(r":v?\d+(\.\d+){1,2}$", default)
    assert (
        f"ARG {WRITTEN['services']['topics']['build']['args']['PYTHON_IMAGE'][2:-1]}".replace(":-", "=")
        in DOCKERFILE.splitlines()
    )
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"$PYTHON_IMAGE"}


def test_secrets_are_files_that_only_their_group_may_read():
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    files = {one["file"].removeprefix("./") for one in COMPOSE["secrets"].values()}
    making, giving = re.findall(r"^#   (.*\S) +once$", text, re.MULTILINE)
    assert f"for each in {' '.join(sorted(files, reverse=True))}; do (umask 027;" in making
    assert giving == f"sudo chgrp 10001 {' '.join(f'deploy/{file}' for file in sorted(files, reverse=True))}"
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f"/deploy/{file}" for file in files} < set(ignored)
    for service in SERVICES.values():
        assert service.get("group_add") == (["10001"] if service.get("secrets") else None)


def test_no_password_has_a_default():
    files = {
        (service, name): value
        for service, one in SERVICES.items()
        for name, value in one.get("environment", {}).items()
        if "PASSWORD" in name
    }
    assert files == {
        ("console", "STREAM_ATTR_DATABASE_PASSWORD_FILE"): "/run/secrets/database_password",
        ("grafana", "GF_SECURITY_ADMIN_PASSWORD__FILE"): "/run/secrets/grafana_password",
        ("ledger", "STREAM_ATTR_DATABASE_PASSWORD_FILE"): "/run/secrets/database_password",
        ("postgres", "POSTGRES_PASSWORD_FILE"): "/run/secrets/database_password",
    }
    for (service, _), file in files.items():
        assert Path(file).name in SERVICES[service]["secrets"]


def test_nothing_listens_beyond_the_loopback_interface():
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert len({port.rsplit(":", 1)[0] for port in ports}) == len(ports)
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_volumes_and_services_that_are_named_are_there():
    used = set()
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_dir(), source
            else:
                used.add(source)
    assert used == COMPOSE["volumes"].keys()


def test_kafka_is_the_one_that_the_tests_run_on():
    pom = (DEPLOY / "kafka" / "pom.xml").read_text(encoding="utf-8")
    [version] = re.findall(r"<kafka.version>(.*)</kafka.version>", pom)
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"


def test_prometheus_asks_every_worker_and_sink_and_reads_the_alerts():
    config = document(DEPLOY / "prometheus" / "prometheus.yml")
    asked = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"][:3]}
    assert asked == {
        "stream-attr": [f"{name}:6066" for name in WORKERS],
        "stream-attr-ledger": ["ledger:6066"],
        "stream-attr-console": ["console:6066"],
    }
    # Of a profile: while its services do not run, nothing is asked, and no alert misses them.
    by_name = {job["job_name"]: job["dns_sd_configs"] for job in config["scrape_configs"][3:]}
    assert by_name.keys() == {"stream-attr-gateway", "stream-attr-adapt", "stream-attr-pull"}
    for job, [found] in by_name.items():
        assert (found["names"], found["type"], found["port"]) == (
            [job.removeprefix("stream-attr-")],
            "A",
            6066,
        )
        assert SERVICES[found["names"][0]]["profiles"]
    assert all((DEPLOY / "prometheus" / name).is_file() for name in config["rule_files"])


def test_grafana_finds_prometheus_and_the_dashboard():
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = document(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    assert urlsplit(source["url"]).netloc == "prometheus:9090"
    [provider] = document(provisioning / "dashboards" / "stream-attr.yaml")["providers"]
    path = provider["options"]["path"]
    mounts = dict(volume.split(":")[1::-1] for volume in SERVICES["grafana"]["volumes"])
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / mounts[path] / Path(home).name).is_file()
    assert home.startswith(path)


def test_the_image_is_built_of_files_that_are_there_and_runs_as_nobody():
    sources = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    named = {name for words in sources for name in words.split()}
    assert named
    assert all((ROOT / name).exists() for name in named)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == named
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_what_the_image_runs_by_itself_the_program_takes():
    [entry], [words] = (
        [json.loads(found) for found in re.findall(rf"^{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)]
        for name in ("ENTRYPOINT", "CMD")
    )
    worker = command_of(words)
    assert entry == ["stream-attr"]
    assert set(re.findall(r"(STREAM_ATTR_\w+)=", DOCKERFILE)) <= variables_of(worker)
    [port] = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    defaults = {param.name: param.default for param in worker.params}
    assert int(port) == defaults["web_port"]
    assert f"127.0.0.1:{port}/health" in DOCKERFILE
