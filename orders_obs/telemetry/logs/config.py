"""Where lines go: structlog and the standard library's logging end in one place, or join what the application has set up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import structlog

from orders_obs.telemetry.guard import guarded, internal_error
from orders_obs.telemetry.logs.processors import AddContext, Render, level_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.settings import Settings
    from orders_obs.telemetry.export.lines import LineWriter

__all__ = ["adopt_server_loggers", "configure", "mark_recorded"]

_RECORDED = "__orders_obs_recorded__"
_METHODS = ("debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log", "msg")
# What LogRecord has by itself; everything else on one is the caller's `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
# Clients whose every request is a span already, and who say so again at level info.
_CHATTY = ("httpx", "httpcore")


class _LineLogger:
    """What structlog hands finished lines to."""

    def __init__(self, writer: LineWriter, name: str = "") -> None:
        self._writer = writer
        self.name = name

    def msg(self, line: bytes) -> None:
        self._writer.write(line)

    log = debug = info = warn = warning = error = critical = fatal = exception = msg


class _StandardHandler(logging.Handler):
    """Gives lines of the standard library's logging the same shape."""

    def __init__(self, writer: LineWriter, render: Render) -> None:
        super().__init__()
        self._writer = writer
        self._render = render
        self._context = AddContext()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: dict[str, Any] = {"event": record.getMessage()}
            for key, value in vars(record).items():
                if key not in _STANDARD:
                    event["field_event" if key == "event" else key] = value
            if record.exc_info:
                event["exc_info"] = record.exc_info
            level = record.levelname.lower()
            self._context(None, level, event)
            self._writer.write(self._render.line(level, event, name=record.name, created=record.created))
        except Exception:
            internal_error("logs.standard")


class _AddContextFilter(logging.Filter):
    """Puts the trace and the request on records that a handler of the application writes."""

    def __init__(self) -> None:
        super().__init__()
        self._context = AddContext()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            for key, value in self._context(None, "info", {}).items():
                if not hasattr(record, key):
                    setattr(record, key, value)
        except Exception:
            internal_error("logs.filter")
        return True


class _NotRecorded(logging.Filter):
    """Leaves out the server's line about an exception that the request's own line tells already."""

    def filter(self, record: logging.LogRecord) -> bool:
        exception = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        return not getattr(exception, _RECORDED, False)


def _harmless(kind: type[Any]) -> type[Any]:
    """The bound logger with methods that do not raise, whatever the arguments: `log.info("100%", 1)` is a line too."""

    def harmless(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **fields: Any) -> Any:
            try:
                return method(self, *args, **fields)
            except Exception:
                internal_error("logs.call")
            with guarded("logs.call"):
                return method(self, " ".join(map(str, args)), **fields)

        return call

    methods = {name: getattr(kind, name) for name in _METHODS}
    # What is below the level does nothing at all; wrapped it would only cost more.
    return type(
        kind.__name__, (kind,), {name: harmless(m) for name, m in methods.items() if m.__name__ != "_nop"}
    )


def mark_recorded(exception: BaseException) -> None:
    """Remember that a line carries this exception."""
    try:
        setattr(exception, _RECORDED, True)
    except Exception:  # noqa: S110  # an exception class with slots: the server's line stays, which harms nobody
        pass


def configure(settings: Settings, writer: LineWriter) -> bool:
    """Set up structlog and the root logger where the application has not, and join them where it has.

    Returns:
        Whether structlog is set up by us.
    """
    render = Render(settings)
    minimum = level_number(settings.log_level)
    ours = not structlog.is_configured()
    if not ours:
        processors = structlog.get_config()["processors"]
        if not any(isinstance(processor, AddContext) for processor in processors):
            # In place: loggers that are bound already hold this very list.
            processors.insert(max(0, len(processors) - 1), AddContext())
    else:
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, AddContext(), render],
            wrapper_class=_harmless(structlog.make_filtering_bound_logger(minimum)),
            logger_factory=lambda *args: _LineLogger(writer, str(args[0]) if args else ""),
            cache_logger_on_first_use=True,
        )
    root = logging.getLogger()
    if root.handlers:
        for present in root.handlers:
            if not isinstance(present, _StandardHandler) and not _has(present, _AddContextFilter):
                present.addFilter(_AddContextFilter())
    else:
        handler = _StandardHandler(writer, render)
        handler.setLevel(minimum)
        root.addHandler(handler)
        if root.level in (logging.NOTSET, logging.WARNING):
            root.setLevel(minimum)
            for name in _CHATTY:
                if logging.getLogger(name).level == logging.NOTSET:
                    logging.getLogger(name).setLevel(logging.WARNING)
    adopt_server_loggers()
    return ours


def adopt_server_loggers() -> None:
    """Take uvicorn's own default handlers off, so that its lines have our shape and there is one access line a request.

    Handlers that somebody configured on purpose, which do not use uvicorn's formatters, stay.
    """
    access = logging.getLogger("uvicorn.access")
    if _take_defaults_off(access):
        # Without a handler of its own and cut from the others, uvicorn does not even make the record.
        access.propagate = False
    root_is_ours = any(isinstance(handler, _StandardHandler) for handler in logging.getLogger().handlers)
    if root_is_ours:
        server = logging.getLogger("uvicorn")
        if _take_defaults_off(server):
            server.propagate = True
    errors = logging.getLogger("uvicorn.error")
    if not _has(errors, _NotRecorded):
        errors.addFilter(_NotRecorded())


def _take_defaults_off(logger: logging.Logger) -> bool:
    defaults = [h for h in logger.handlers if type(h.formatter).__module__.startswith("uvicorn.")]
    for handler in defaults:
        logger.removeHandler(handler)
    return bool(defaults) and not logger.handlers


def _has(filterer: logging.Filterer, kind: type[logging.Filter]) -> bool:
    return any(isinstance(item, kind) for item in filterer.filters)
