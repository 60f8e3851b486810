"""The OpenAPI 3.1 document of the HTTP API, made from the table of operations.

Requests are described by the forms that read them, answers by the TypedDicts that are answered,
refusals by the one table of codes. Nothing is written down a second time here.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from domain.limits import BODY_BYTES_MAX
from domain.refusals import TABLE, Code
from protocols.client_fields import Json
from protocols.forms import Field, Form
from protocols.openapi_schemas import Schemas, component_of, either
from protocols.operations import OPERATIONS, Auth, Operation, Tag
from protocols.samples import REF, sample

JSON_TYPE: Final = "application/json"

_ABOUT: Final = f"""\
The HTTP API of a venue for tap trading. JSON in and out, UTF-8, bodies of at most {BODY_BYTES_MAX}
bytes.

Amounts are in micros of a USD (1 USD = 1,000,000), prices in cents of a USD, rates in basis points,
times in milliseconds or seconds since 1970, UTC, as their names say. In requests a number may be an
integer or its canonical decimal text; in answers numbers are integers. A field of a request that is
not known is ignored; answers may get more fields, and none is ever changed.

Whatever is refused is answered with `error`, a stable code, and `message`, a text for people.

Live prices, quotes and a trader's own events come over the WebSocket `/ws`, where bets can be
placed with the same fields and the same answers.
"""
_TAGS: Final[Mapping[Tag, str]] = {
    Tag.MARKET: "The grid and the prices, for anybody.",
    Tag.SIGN_IN: "Sign-in by EIP-4361, and sessions.",
    Tag.BETS: "Placing bets, and a trader's own ones.",
    Tag.ACCOUNT: "A trader's own money.",
    Tag.OPERATORS: "For operators, each with a token of his own.",
    Tag.HEALTH: "For load balancers and monitoring.",
}
_SECURITY: Final[Mapping[Auth, list[Json]]] = {
    Auth.NONE: [],
    Auth.OPTIONAL: [{}, {"session": []}],
    Auth.SESSION: [{"session": []}],
    Auth.OPERATOR: [{"operator": []}],
}
_SCHEMES: Final[Json] = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that a sign-in answered.",
    },
    "operator": {"type": "http", "scheme": "bearer", "description": "An operator's own token."},
}
_EVERY: Final = ("X-Request-Id",)
_LIMITS: Final = (
    *("RateLimit-Policy", "RateLimit"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
_HEADERS: Final[Mapping[str, Json]] = {
    "X-Request-Id": {
        "description": "The request's own `X-Request-Id`, if that was 1 to 64 letters, digits, "
        "dots, dashes and underscores; else one that was made for it. It is in the venue's log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "RateLimit-Policy": {
        "description": "Which limit the request was counted against: its name, how much it allows "
        "at once (q), and the seconds in which an empty one fills up (w).",
        "schema": {"type": "string", "examples": ['"requests";q=2000;w=10']},
    },
    "RateLimit": {
        "description": "What is left of that limit (r), and the seconds until it is full again "
        "(t); of an empty one, until it allows a request.",
        "schema": {"type": "string", "examples": ['"requests";r=1999;t=1']},
    },
    "RateLimit-Limit": {
        "description": "How many requests the limit allows at once.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "As `t` of `RateLimit`.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Retry-After": {
        "description": "Seconds after which trying again makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "Where a bearer token is needed.",
        "schema": {"const": "Bearer"},
    },
}


def document(*, origin: str, version: str, operations: Sequence[Operation] = OPERATIONS) -> Json:
    """The whole document. `origin` is the public one, e.g. `https://tap.example`."""
    schemas = Schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        described = _operation(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "tapgrid", "version": version, "description": _ABOUT},
        "servers": [{"url": origin}],
        "tags": [{"name": tag.value, "description": _TAGS[tag]} for tag in Tag],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": _SCHEMES,
            "headers": dict(_HEADERS),
        },
    }


# --- one operation ------------------------------------------------------------------------------


def operation_id(operation: Operation) -> str:
    """`get_bets_bet_id_proof` of `GET /api/bets/{bet_id}/proof`."""
    path = operation.path.removeprefix("/api").removesuffix(".json")
    words = "".join(sign if sign.isalnum() else " " for sign in path).split()
    return "_".join([operation.method.lower(), *words])


def _operation(operation: Operation, schemas: Schemas) -> Json:
    described: Json = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.tag.value],
        "security": _SECURITY[operation.auth],
        "responses": _responses(operation, schemas),
    }
    if operation.description:
        described["description"] = operation.description
    parameters = [_parameter(field, "path") for field in operation.parameters]
    if operation.query is not None:
        parameters += [_parameter(field, "query") for field in operation.query.fields]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _request_body(operation.body)
    return described


def _parameter(field: Field[object], where: Literal["path", "query"]) -> Json:
    return {
        "name": field.name,
        "in": where,
        "required": field.required,
        "description": field.about,
        "schema": field.url_schema(),
    }


def _request_body(form: Form[object]) -> Json:
    schema, given = form.schema(), form.examples or (_example(form),)
    examples = {f"example_{n}": {"value": value} for n, value in enumerate(given, start=1)}
    return {
        "required": form.is_needed(),
        "content": {JSON_TYPE: {"schema": schema, "examples": examples}},
    }


def _example(form: Form[object]) -> Json:
    """The least that can be sent."""
    required = [field for field in form.fields if field.required]
    return {field.name: sample(field.kind.schema(), {}, name=field.name) for field in required}


# --- its answers --------------------------------------------------------------------------------


def _responses(operation: Operation, schemas: Schemas) -> Json:
    names = (*_EVERY, *_LIMITS) if operation.limited else _EVERY
    answers = {operation.status: operation.answer, **operation.also}
    responses = {status: _response([answer], schemas, names) for status, answer in answers.items()}
    codes = sorted(operation.all_codes, key=list(Code).index)
    for status in {TABLE[code].http_status for code in codes}:
        these = [code for code in codes if TABLE[code].http_status == status]
        both = [*these, answers[status]] if status in answers else these
        responses[status] = _response(both, schemas, (*names, *_more_headers(these)))
    return {str(status): responses[status] for status in sorted(responses)}


def _more_headers(codes: Sequence[Code]) -> list[str]:
    waits = any(TABLE[code].retry_after_s is not None for code in codes)
    asks = Code.UNAUTHORIZED in codes
    return [name for name, has in (("Retry-After", waits), ("WWW-Authenticate", asks)) if has]


def _response(answers: Sequence[object], schemas: Schemas, headers: Sequence[str]) -> Json:
    """What is answered with one status: one of these codes, TypedDicts, or a media type."""
    return {
        "description": " ".join(_about(answer, schemas) for answer in answers),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": _content(answers, schemas),
    }


def _about(answer: object, schemas: Schemas) -> str:
    if isinstance(answer, Code):
        return f"`{answer.value}`: {TABLE[answer].message}"
    return "As its media type says." if isinstance(answer, str) else schemas.about(answer)


def _content(answers: Sequence[object], schemas: Schemas) -> Json:
    media_type = answers[0]
    if isinstance(media_type, str) and not isinstance(media_type, Code):
        kind = "object" if media_type == JSON_TYPE else "string"
        return {media_type: {"schema": {"type": kind}}}
    described: Json = {"schema": either([_schema(answer, schemas) for answer in answers])}
    if not isinstance(media_type, Code):
        described["example"] = sample(schemas.of(media_type), schemas.components)
    return {JSON_TYPE: described}


def _schema(answer: object, schemas: Schemas) -> Json:
    return {"$ref": REF + component_of(answer)} if isinstance(answer, Code) else schemas.of(answer)
