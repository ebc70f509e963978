"""A session with AWS: the SDK's own credentials, clients that back off, and every failure in words.

Where the credentials come from, which profile, which endpoint (`AWS_ENDPOINT_URL`) and which certificates are the SDK's own
settings; nothing here reads or keeps a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs._version import __version__
from orders_obs.aws.pace import Pace
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text, redact_url

if TYPE_CHECKING:
    from orders_obs.alerts.model import Environment

__all__ = ["Aws", "Denied", "Refused", "SessionLost", "UnknownCall", "Unreached", "connect"]

_ATTEMPTS = 8
"""Of a call that is throttled or fails on AWS's side, unless AWS_MAX_ATTEMPTS or the profile says otherwise."""
_CONNECT, _READ = 5, 30
_MESSAGE = 300

# Where the name that signs a request is not the prefix of the service's IAM actions.
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
_DENIED = {"AccessDenied", "AuthorizationError", "UnauthorizedOperation", "UnauthorizedAccess"}
_EXPIRED = {"ExpiredToken", "RequestExpired", "TokenRefreshRequired"}
_REJECTED = {
    "AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignature", "InvalidToken",
    "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClient",
}  # fmt: skip
_THROTTLED = {
    "BandwidthLimitExceeded", "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled", "SlowDown", "Throttled",
    "Throttling", "TooManyRequests",
}  # fmt: skip
_UNKNOWN = {"InvalidAction", "NotImplemented", "UnknownOperation"}
# LocalStack, of what it does not know or cannot do.
_EMULATORS_SAY = ("unknown operation", "not yet implemented", "exception while calling")
# botocore's classes, by name: not every version that the package runs with has them all.
_UNLOGGED = {"CredentialRetrievalError", "LoginError", "SSOError", "TokenRetrievalError"}
_UNREACHED = {"ConnectionError", "HTTPClientError"}


class SessionLost(EnvironmentFault):
    """No call of this session works: the credentials are gone, or AWS cannot be reached."""


class Unreached(SessionLost):
    """The endpoint does not answer."""


class Refused(EnvironmentFault):
    """AWS does not do what it was asked.

    Attributes:
        code: Its error code, without `Exception` or `Fault` at its end.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Denied(EnvironmentFault):
    """The caller has no right to a call."""


class UnknownCall(EnvironmentFault):
    """The endpoint does not know a call: an emulator, or a region without the feature."""


class Aws:
    """Clients of one account and region.

    Args:
        session: A boto3 session.
        region: The region.
        policy: The command that prints the rights that are needed; empty where there is none.
        pace: How fast it calls.

    Attributes:
        region: The region.
        pace: How fast it calls.
        lacking: What the endpoint turned out not to know.
        account: Whose credentials these are: twelve digits.
        caller: ARN of the caller.
        partition: `aws`, `aws-cn` or `aws-us-gov`.

    Raises:
        EnvironmentFault: There are no credentials, or AWS does not take them or cannot be reached.
    """

    def __init__(self, session: Any, region: str, *, policy: str = "", pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.lacking: set[str] = set()
        self._session = session
        self._policy = policy
        self._clients: dict[str, Any] = {}
        self.region = region
        self.caller = "the caller"
        identity = self._call("sts", "get_caller_identity", "credentials", {})
        self.account = str(identity["Account"])
        self.caller = str(identity["Arn"])
        self.partition = self.caller.split(":")[1]

    def arn(self, service: str, rest: str) -> str:
        """An ARN in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    def require(self, environment: Environment) -> None:
        """See to it that the credentials are the environment's.

        Raises:
            UserError: They are another account's.
        """
        if self.account != environment.account:
            raise UserError(
                f"environment {environment.name} is in account {environment.account}, and the credentials are those of {self.account}",
                hint="choose others with --profile or AWS_PROFILE",
                file=environment.source.file,
                line=environment.source.line,
            )

    def call(
        self, service: str, operation: str, *, about: str, absent: str = "", **arguments: Any
    ) -> dict[str, Any] | None:
        """One call.

        Args:
            service: As boto3 names it.
            operation: As boto3 names it, such as `describe_stacks`.
            about: For what it is, which begins the message of a failure.
            absent: The error code by which AWS says that there is no such thing, without `Exception` or `Fault` at its end.
            arguments: Of the operation.

        Returns:
            The answer; None where AWS answers `absent`.

        Raises:
            EnvironmentFault: It failed.
        """
        answer: dict[str, Any] | None = self._call(service, operation, about, arguments, absent)
        return answer

    def pages(self, service: str, operation: str, *, about: str, **arguments: Any) -> list[dict[str, Any]]:
        """Every page of a call that has pages.

        Raises:
            EnvironmentFault: It failed.
        """
        client = self._client(service, about)
        try:
            return list(client.get_paginator(operation).paginate(**arguments))
        except Exception as error:
            raise self._told(error, client, operation, about) from None

    def _call(
        self, service: str, operation: str, about: str, arguments: dict[str, Any], absent: str = ""
    ) -> Any:
        client = self._client(service, about)
        try:
            return getattr(client, operation)(**arguments)
        except Exception as error:
            if absent and _code(error) == absent:
                return None
            raise self._told(error, client, operation, about) from None

    def _client(self, service: str, about: str) -> Any:
        if service not in self._clients:
            try:
                client = self._session.client(service)
            except Exception as error:
                raise self._told(error, None, service, about) from None
            client.meta.events.register_first("provide-client-params", self._paced)
            self._clients[service] = client
        return self._clients[service]

    def _paced(self, model: Any, **_: Any) -> None:
        self.pace.wait(model.name)

    def _told(self, error: Exception, client: Any, operation: str, about: str) -> Exception:
        """A failure of the SDK or of AWS in words; what is neither comes back as it is."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        if isinstance(error, ClientError):
            return self._refused(error, client, operation, about)
        if isinstance(error, (BotoCoreError, ResponseParserError)):
            return _unsent(error, client, about)
        if client is None and isinstance(error, ValueError):
            return UserError(
                f"the endpoint of {operation} is no address: {redact_text(str(error))}",
                hint="such as AWS_ENDPOINT_URL=http://127.0.0.1:4566",
            )
        return error

    def _refused(self, error: Any, client: Any, operation: str, about: str) -> EnvironmentFault:
        action = _action(client, operation)
        code = _code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = redact_text(str(error.response.get("Error", {}).get("Message", "")))[:_MESSAGE]
        if code in _DENIED:
            return Denied(
                f"{about}: no right to {action}: {said}",
                hint=f"allow {action} to {self.caller}"
                + (f"; `{self._policy}` prints all that is needed" if self._policy else ""),
            )
        if code in _EXPIRED:
            return SessionLost(
                f"{about}: the credentials have expired", hint="renew them, such as by aws sso login"
            )
        if code in _REJECTED:
            return SessionLost(
                f"{about}: AWS does not take the credentials ({code})",
                hint="look at the profile, the keys and the clock of this machine",
            )
        if code in _THROTTLED:
            return EnvironmentFault(
                f"{about}: {action} was throttled, and again each time it was tried anew",
                hint="try again later, or set AWS_MAX_ATTEMPTS higher",
            )
        lacking = code in _UNKNOWN or any(words in said for words in _EMULATORS_SAY)
        if lacking or status == 501 or code.isdigit() or not code:
            return UnknownCall(
                f"{about}: {_endpoint(client)} does not know {action} (HTTP {status}{f', {code}' if code else ''})"
                + (f": {said}" if said else ""),
                hint="an emulator may lack it; AWS itself is asked where AWS_ENDPOINT_URL is not set",
            )
        return Refused(f"{about}: {action} failed: {code}: {said}", code)


def connect(region: str, profile: str = "", *, policy: str = "") -> Aws:
    """A session with the credentials that the SDK finds.

    Args:
        region: The region.
        profile: Of the SDK's configuration; empty for the one that AWS_PROFILE names, or none.
        policy: The command that prints the rights that are needed.

    Raises:
        UserError: There is no such profile.
        EnvironmentFault: boto3 is not there; there are no credentials, or AWS does not take them or cannot be reached.
    """
    try:
        import boto3.session
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise EnvironmentFault("boto3 is not installed", hint="pip install 'orders-obs[aws]'") from None
    core = botocore.session.Session(profile=profile or None)
    try:
        attempts = core.get_config_variable("max_attempts") or _ATTEMPTS
        core.set_default_client_config(
            Config(
                connect_timeout=_CONNECT,
                read_timeout=_READ,
                retries={"mode": "adaptive", "total_max_attempts": attempts},
                user_agent_extra=f"orders-obs/{__version__}",
            )
        )
        session = boto3.session.Session(botocore_session=core, region_name=region)
    except BotoCoreError as error:
        raise _unsent(error, None, "credentials") from None
    return Aws(session, region, policy=policy)


def _code(error: Exception) -> str:
    """The error code of AWS without the ends that differ between its protocols."""
    response = getattr(error, "response", None)
    code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
    return code.rpartition("#")[2].removesuffix("Exception").removesuffix("Fault")


def _action(client: Any, operation: str) -> str:
    """The IAM action of a call."""
    prefix = client.meta.service_model.signing_name
    return f"{_PREFIXES.get(prefix, prefix)}:{client.meta.method_to_api_mapping[operation]}"


def _endpoint(client: Any) -> str:
    return redact_url(client.meta.endpoint_url) if client is not None else "AWS"


def _unsent(error: Exception, client: Any, about: str) -> UserError | EnvironmentFault:
    """A failure before AWS could answer."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    said = redact_text(str(error))[:_MESSAGE]
    if "ProfileNotFound" in kinds:
        return UserError(said, hint="`aws configure list-profiles` lists them")
    if "ConfigParseError" in kinds:
        return UserError(f"the SDK's configuration cannot be read: {said}")
    if kinds & {"NoCredentialsError", "PartialCredentialsError"}:
        return SessionLost(
            f"{about}: {said}",
            hint="name a profile with --profile or AWS_PROFILE, or log in (aws sso login)",
        )
    if kinds & _UNLOGGED:
        return SessionLost(
            f"{about}: no credentials could be had: {said}", hint="log in anew (aws sso login)"
        )
    if "SSLError" in kinds:
        return SessionLost(
            f"{about}: {_endpoint(client)} has a certificate that is not trusted here",
            hint="AWS_CA_BUNDLE names others",
        )
    if kinds & _UNREACHED:
        return Unreached(
            f"{about}: {_endpoint(client)} cannot be reached ({type(error).__name__})",
            hint="look at the network, the proxy and AWS_ENDPOINT_URL",
        )
    if "ResponseParserError" in kinds:
        return EnvironmentFault(
            f"{about}: what {_endpoint(client)} answers is no answer of AWS", hint="look at AWS_ENDPOINT_URL"
        )
    return EnvironmentFault(f"{about}: {type(error).__name__}: {said}")
