"""Log-in at an OpenID Connect provider, over HTTP, and all that must not let anybody in."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from base64 import urlsafe_b64encode
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from stream_attr.cli import main
from stream_attr.console import oidc
from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.app import OIDC_BACK, Settings, application
from stream_attr.console.oidc import Provider
from stream_attr.console.roles import Role
from stream_attr.errors import UnusableError
from stream_attr.kafka.secret import Secret
from tests.console.conftest import FROM_HERE
from tests.console.provider import CLIENT, SECRET, SmallProvider, new_key

BASE = "http://127.0.0.1"
TIMES = ("exp", "iat", "nbf")
IN_AUDIT = "SELECT login, action, about FROM audit ORDER BY number"


@pytest.fixture
def small():
    with SmallProvider(f"{BASE}{OIDC_BACK}").serving() as provider:
        yield provider


@pytest.fixture
def of_provider(ledger, small):
    """Makes the console of a provider by a claim; the account li is an agent's, and has no password."""
    with ledger.connection(autocommit=True) as connection:
        Accounts(connection).add("li", "Li", Role.AGENT, [Duty("jd:1", "kf-1")])
    with ledger.pool(autocommit=True) as pool:

        def console(claim="preferred_username", issuer=None):
            provider = Provider(issuer or small.issuer, CLIENT, Secret(SECRET), claim, small.redirect_uri)
            app = application(pool, Settings(secure=False, address=BASE, provider=provider))
            return lambda: TestClient(app, base_url=BASE, follow_redirects=False)

        yield console


@pytest.fixture
def browser(of_provider):
    return of_provider()()


def there(answer):
    """Follow a browser to the provider, which sends it back: the address within the console."""
    assert answer.status_code == 303, answer.text
    url = urlsplit(answer.headers["location"])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    connection.request("GET", f"{url.path}?{url.query}")
    back = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    return f"{back.path}?{back.query}"


def logged_in(browser, following="/people"):
    return browser.get(there(browser.get(f"/oidc?next={following}")))


def audited(ledger):
    with ledger.connection(autocommit=True) as connection:
        return connection.execute(IN_AUDIT).fetchall()


def test_who_the_provider_names_is_in_with_the_rights_of_the_account(ledger, browser):
    assert 'href="/oidc?next=%2Forders"' in browser.get("/login?next=/orders").text
    answer = logged_in(browser, "/orders")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    assert browser.get("/orders").status_code == 200
    assert browser.get("/people").status_code == 404, "an agent's account sees no accounts"
    assert audited(ledger) == [("li", "log in", "oidc")]
    with ledger.connection(autocommit=True) as connection:
        assert connection.execute("SELECT login, way FROM session").fetchall() == [("li", "oidc")]
        assert connection.execute("SELECT count(*) FROM oidc_request").fetchone() == (0,)
        assert not Accounts(connection).find("li").has_password


def test_forms_of_its_session_need_their_token_and_log_out_leads_to_the_providers(small, browser):
    logged_in(browser)
    page = browser.get("/orders").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.post("/logout", data={"csrf_token": "another"}, headers=FROM_HERE).status_code == 403
    answer = browser.post("/logout", data={"csrf_token": token}, headers=FROM_HERE)
    assert answer.headers["location"] == "/login?out=1"
    assert browser.get("/orders").status_code == 303
    text = browser.get("/login?out=1").text
    query = f"client_id={CLIENT}&amp;post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%2Flogin%3Fout%3D1"
    assert f'href="{small.issuer}/out?{query}"' in text


def test_the_secrets_of_a_log_in_are_each_time_others_and_in_no_address_of_ours(browser):
    first, second = (
        dict(parse_qsl(urlsplit(browser.get("/oidc").headers["location"]).query)) for _ in range(2)
    )
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]
    assert "code_verifier" not in first
    assert SECRET not in json.dumps(first)


def test_a_state_can_be_used_once(browser):
    back = there(browser.get("/oidc"))
    state = browser.cookies["oidc"]
    assert browser.get(back).headers["location"] == "/"
    browser.cookies.clear()
    browser.cookies.set("oidc", state)
    answer = browser.get(back)
    assert answer.status_code == 403
    assert "has been used" in answer.text
    assert "session" not in browser.cookies


def test_a_state_is_of_the_browser_in_which_it_was_begun(of_provider):
    console = of_provider()
    attacker, victim = console(), console()
    back = there(attacker.get("/oidc"))
    answer = victim.get(back)
    assert answer.status_code == 403
    assert "session" not in victim.cookies
    victim.get("/oidc")
    assert victim.get(back).status_code == 403, "nor where another log-in is under way"


def test_a_log_in_that_takes_too_long_is_begun_again(ledger, browser):
    back = there(browser.get("/oidc"))
    with ledger.connection(autocommit=True) as connection:
        connection.execute("UPDATE oidc_request SET expires_ts = expires_ts - 600000")
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://another.example"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"nonce": "of another log-in"},
        {"exp": -120},
        {"iat": 600},
        {"nbf": 600},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"iss": None},
        {"sub": None},
        {"aud": None},
        {"exp": None},
        {"nonce": None},
        {"preferred_username": None},
        {"preferred_username": ""},
        {"preferred_username": ["li"]},
        {"preferred_username": True},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_lets_nobody_in(ledger, small, browser, wrong):
    now = int(time.time())
    changes = {name: now + value if name in TIMES and value else value for name, value in wrong.items()}
    small.claims = lambda claims: {
        name: value for name, value in {**claims, **changes}.items() if value is not None
    }
    answer = logged_in(browser)
    assert answer.status_code == 403
    assert "did not prove who you are" in answer.text
    assert "session" not in browser.cookies
    [(login, action, about)] = audited(ledger)
    assert (login, action, about[:5]) == ("", "log-in refused", "oidc:")


def test_several_audiences_of_which_we_are_the_party_are_taken(small, browser):
    small.claims = lambda claims: {**claims, "aud": [CLIENT, "another client"], "azp": CLIENT}
    assert logged_in(browser).status_code == 303


def unsigned(small, claims):
    return jwt.encode(claims, None, algorithm="none", headers={"kid": small.kid})


def by_shared_secret(small, claims):
    """What a client takes that lets the token choose the algorithm: the public key as a shared secret."""
    parts = [{"alg": "HS256", "typ": "JWT", "kid": small.kid}, claims]
    text = b".".join(urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts)
    digest = hmac.digest(small.public_pem(), text, hashlib.sha256)
    return (text + b"." + urlsafe_b64encode(digest).rstrip(b"=")).decode()


def by_published_secret(_, claims):
    return jwt.encode(claims, b"secret", algorithm="HS256", headers={"kid": "shared"})


def by_another_key(small, claims):
    return jwt.encode(claims, new_key(), algorithm="RS256", headers={"kid": small.kid})


def by_a_key_of_its_own_header(small, claims):
    key = new_key()
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": small.kid, "jwk": own})


def changed_afterwards(small, claims):
    head, _, signature = small.signed(claims).split(".")
    body = urlsafe_b64encode(json.dumps({**claims, "preferred_username": "boss"}).encode()).rstrip(b"=")
    return f"{head}.{body.decode()}.{signature}"


def no_token(_small, _claims):
    return "no token"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        by_shared_secret,
        by_published_secret,
        by_another_key,
        by_a_key_of_its_own_header,
        changed_afterwards,
        no_token,
    ],
)
def test_a_token_that_the_provider_has_not_signed_lets_nobody_in(small, browser, sign):
    small.sign = lambda claims: sign(small, claims)
    answer = logged_in(browser)
    assert answer.status_code == 403
    assert "did not prove who you are" in answer.text
    assert "session" not in browser.cookies


def test_a_code_is_of_no_use_without_what_its_challenge_was_made_of(ledger, browser):
    back = there(browser.get("/oidc"))
    with ledger.connection(autocommit=True) as connection:
        connection.execute("UPDATE oidc_request SET code_verifier = code_verifier || 'x'")
    assert browser.get(back).status_code == 403
    assert audited(ledger)[0][2].endswith("the provider does not take the code: invalid_grant")


def test_a_new_key_of_the_provider_is_asked_for(small, browser, monkeypatch):
    assert logged_in(browser).status_code == 303
    small.key, small.kid = new_key(), "second"
    assert logged_in(browser).status_code == 403, "not again within a minute"
    asked = small.asked.count("/keys")
    monkeypatch.setattr(oidc, "_KEYS_AGAIN_S", 0.0)
    assert logged_in(browser).status_code == 303
    assert small.asked.count("/keys") == asked + 1


def test_who_has_no_account_sees_who_they_are_there(ledger, small, browser):
    small.person = "wang<b>"
    answer = logged_in(browser)
    assert answer.status_code == 403
    assert "says that you are wang&lt;b&gt;" in answer.text
    assert audited(ledger) == [("wang<b>", "log-in refused", "oidc: testclient")]
    small.person = "LI"
    assert logged_in(browser).status_code == 403, "a login is the same to the letter"


def test_an_account_that_is_disabled_is_not_let_in(ledger, browser):
    logged_in(browser)
    with ledger.connection(autocommit=True) as connection:
        Accounts(connection).set_active("li", active=False)
    assert browser.get("/orders").status_code == 303, "the session ends"
    assert logged_in(browser).status_code == 403


@pytest.mark.parametrize(
    ("info", "is_in"),
    [
        ({"sub": "id-of-li", "department": "li"}, True),
        ({"sub": "id-of-another", "department": "li"}, False),
        ({"department": "li"}, False),
        ({"sub": "id-of-li"}, False),
    ],
)
def test_a_claim_that_is_not_in_the_token_is_asked_for_and_is_of_the_same_person(
    small, of_provider, info, is_in
):
    small.user_info = info
    assert logged_in(of_provider("department")()).status_code == (303 if is_in else 403)


@pytest.mark.parametrize(
    ("verified", "is_in"), [(True, True), (False, False), ("true", False), (None, False)]
)
def test_of_an_address_only_a_verified_one_counts(ledger, small, of_provider, verified, is_in):
    with ledger.connection(autocommit=True) as connection:
        Accounts(connection).add("li@shop.example", "Li", Role.ADMIN, ())
    small.claims = lambda claims: {**claims, "email": "li@shop.example", "email_verified": verified}
    assert logged_in(of_provider("email")()).status_code == (303 if is_in else 403)


def test_what_the_provider_refuses_is_said(browser):
    state = dict(parse_qsl(urlsplit(browser.get("/oidc").headers["location"]).query))["state"]
    answer = browser.get(f"{OIDC_BACK}?state={state}&error=access_denied&error_description=<b>x")
    assert answer.status_code == 403
    assert "(access_denied)" in answer.text
    assert "<b>x" not in answer.text


@pytest.mark.parametrize(
    ("names_itself", "iss", "is_in"),
    [
        (True, "own", True),
        (True, None, False),
        (True, "other", False),
        (False, "other", False),
        (False, None, True),
    ],
)
def test_an_answer_of_another_provider_is_refused(small, browser, names_itself, iss, is_in):
    small.about["authorization_response_iss_parameter_supported"] = names_itself
    if iss is not None:
        small.answer["iss"] = small.issuer if iss == "own" else "https://another.example"
    assert logged_in(browser).status_code == (303 if is_in else 403)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda small: setattr(small, "away", True),
        lambda small: small.about.update(issuer="https://another.example"),
        lambda small: small.about.update(authorization_endpoint="http://listened.example/authorize"),
        lambda small: small.about.update(authorization_endpoint=None),
    ],
    ids=["away", "another issuer", "without TLS", "no endpoint"],
)
def test_a_provider_that_cannot_be_asked_is_said_and_passwords_still_work(small, browser, break_it):
    break_it(small)
    answer = browser.get("/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert 'name="password"' in answer.text


def test_a_provider_that_goes_away_meanwhile_is_said(small, browser):
    back = there(browser.get("/oidc"))
    small.about["token_endpoint"] = None
    browser.get("/login")
    small._server.shutdown()
    small._server.server_close()
    answer = browser.get(back)
    assert answer.status_code == 503
    assert "session" not in browser.cookies


def test_many_log_ins_that_come_to_nothing_have_to_wait(browser):
    statuses = [browser.get("/oidc").status_code for _ in range(51)]
    assert statuses == [303] * 50 + [429]


def test_without_a_provider_there_is_no_such_door(console):
    assert console().get("/oidc").status_code == 404
    assert "/oidc" not in console().get("/login").text


@pytest.mark.parametrize("issuer", ["http://login.example", "ftp://login.example"])
def test_a_provider_without_tls_is_refused(issuer):
    with pytest.raises(UnusableError, match="is not https://"):
        Provider(issuer, CLIENT, None, "sub", f"{BASE}{OIDC_BACK}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--oidc-issuer", "https://login.example"], "--oidc-issuer and --oidc-client-id go together"),
        (["--oidc-client-id", "console"], "--oidc-issuer and --oidc-client-id go together"),
        (["--oidc-client-secret-file", __file__], "has more than one line"),
        (["--oidc-issuer", "http://login.example", "--oidc-client-id", "x"], "is not https://"),
        (["--login-header", "X-Remote-User"], "--login-header needs --proxy"),
        (["--proxy", "*"], "is not an address like 10.0.0.4"),
        (["--proxy", "proxy.example"], "is not an address like 10.0.0.4"),
        (["--proxy", "10.0.0.1/24"], "is not an address like 10.0.0.4"),
        (["--proxy", "10.0.0.4", "--login-header", "X-Forwarded-For"], "is not the name of such a header"),
        (["--proxy", "10.0.0.4", "--login-header", "X Remote"], "is not the name of such a header"),
    ],
)
def test_options_that_do_not_go_together_are_refused(ledger, words, said):
    refused = CliRunner().invoke(main, ["console", "--database", ledger.address, *words])
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())
