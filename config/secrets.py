"""What in the settings nobody may see, as texts that can be looked for."""

from urllib.parse import unquote, urlsplit

from config.settings import Settings


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret that is set: operators' tokens, the archive's key, the store's password."""
    password = urlsplit(settings.store.url).password or ""
    texts = (
        settings.ops.token,
        *settings.ops.tokens.values(),
        settings.archive.secret_access_key,
        password,
        unquote(password),
    )
    return tuple(text for text in texts if text)
