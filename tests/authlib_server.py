# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authlib's OAuth server with Voucherify's paths and headers.

It follows RFC 6749, 7662 and 7009 where Voucherify's documentation differs from them: it sends no `expires_at`, other
fields in an introspection, 200 for every revocation, and errors in another format. Authlib implements all of the OAuth
part.
"""

from __future__ import annotations

import io
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_oauth2.authorization_server import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, jsonify
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SCOPES = ("vouchers", "campaigns", "orders")
TOKEN_LIFETIME = 900


@dataclass
class Client(ClientMixin):
    """The only client of the server."""

    client_id: str
    client_secret: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(value for value in (scope or "vouchers").split() if value in SCOPES)

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.client_secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


@dataclass
class IssuedToken(TokenMixin):
    """A token, and whether it was revoked."""

    access_token: str
    scope: str
    client_id: str
    expires_at: float
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return TOKEN_LIFETIME

    def is_expired(self) -> bool:
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        return self.revoked


@dataclass
class AuthlibServer:
    """A running server.

    environment: the variables that make the collection use it. tokens: every token that it has issued.
    """

    environment: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, IssuedToken] = field(default_factory=dict)

    def live_tokens(self) -> list[str]:
        """Return the tokens that still work."""
        return [text for text, token in self.tokens.items() if not (token.revoked or token.is_expired())]


@contextmanager
def serve_authlib() -> Iterator[AuthlibServer]:
    """Run the server on a free port on loopback."""
    client = Client("an-app-id", secrets.token_urlsafe())
    running = AuthlibServer()
    app = _behind_gateway(_make_app(client, running))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    running.environment |= {
        "VOUCHERIFY_APP_ID": client.client_id,
        "VOUCHERIFY_APP_TOKEN": client.client_secret,
        "VOUCHERIFY_API_BASE_URL": f"http://127.0.0.1:{server.server_port}",
    }
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""


def _make_app(client: Client, running: AuthlibServer) -> Flask:
    def save_token(token: dict[str, Any], _request: object) -> None:
        text, expires_at = token["access_token"], time.time() + token["expires_in"]
        running.tokens[text] = IssuedToken(text, token.get("scope", ""), client.client_id, expires_at)

    class Revocation(RevocationEndpoint):
        def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
            return running.tokens.get(token_string)

        def revoke_token(self, token: IssuedToken, request: object) -> None:
            token.revoked = True

    class Introspection(IntrospectionEndpoint):
        def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
            return running.tokens.get(token_string)

        def check_permission(self, token: IssuedToken, client: Client, request: object) -> bool:
            return token.check_client(client)

        def introspect_token(self, token: IssuedToken) -> dict[str, Any]:
            return {"scope": token.scope, "token_type": "Bearer", "exp": int(token.expires_at)}

    app = Flask(__name__)
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": TOKEN_LIFETIME}
    app.config["OAUTH2_SCOPES_SUPPORTED"] = SCOPES
    oauth = AuthorizationServer(app, {client.client_id: client}.get, save_token)
    oauth.register_grant(ClientCredentialsGrant)
    oauth.register_endpoint(Revocation)
    oauth.register_endpoint(Introspection)

    def answer(name: str) -> Any:
        return oauth.create_endpoint_response(name)

    app.add_url_rule("/v1/oauth/token", "token", oauth.create_token_response, methods=["POST"])
    app.add_url_rule("/v1/oauth/introspect", "introspect", lambda: answer("introspection"), methods=["POST"])
    app.add_url_rule("/v1/oauth/token/revoke", "revoke", lambda: answer("revocation"), methods=["POST"])
    app.add_url_rule("/v1/vouchers", "vouchers", lambda: jsonify(vouchers=[]))
    return app


def _behind_gateway(app: WSGIApplication) -> WSGIApplication:
    """Translate Voucherify's headers and form field to those of the RFCs."""

    def gateway(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app_id, app_token = environ.pop("HTTP_X_APP_ID", None), environ.pop("HTTP_X_APP_TOKEN", None)
        if app_id is not None and app_token is not None:
            environ["HTTP_AUTHORIZATION"] = "Basic " + b64encode(f"{app_id}:{app_token}".encode()).decode()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if body.startswith(b"access_token="):
            body = body.removeprefix(b"access_")
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return app(environ, start_response)

    return gateway
