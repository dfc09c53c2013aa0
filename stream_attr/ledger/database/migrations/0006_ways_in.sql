-- Ways in beside passwords: log-ins that are under way at an OpenID Connect provider, and how a session has begun.

CREATE TABLE oidc_request (
    state_hash bytea PRIMARY KEY,
    nonce text NOT NULL,
    code_verifier text NOT NULL,
    following text NOT NULL,
    expires_ts bigint NOT NULL
);

ALTER TABLE session ADD COLUMN way text NOT NULL DEFAULT 'password' CHECK (way IN ('password', 'oidc', 'proxy'));
