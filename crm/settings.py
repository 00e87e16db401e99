"""All settings: one file, safe by default. What differs between installations comes from the environment.

APP_ENV is production unless said otherwise; production refuses embedded services, DEBUG and a weak
secret (crm.kit.checks). boot.py sets development and test.
"""

from pathlib import Path

import environ
import pghistory
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from crm.kit import prepared

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

APP_ENV = env.str("APP_ENV", "production")
if APP_ENV not in {"production", "development", "test"}:
    raise ImproperlyConfigured(f"APP_ENV is {APP_ENV!r}: use production, development or test.")
PRODUCTION = APP_ENV == "production"
TESTING = APP_ENV == "test"
EMBEDDED_SERVICES = env.bool("VENTANILLA_EMBEDDED", False)

# --- Identity of the installation ---------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", False)
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])
VAR_DIR = Path(env.str("VENTANILLA_VAR", str(BASE_DIR / "var")))

# --- Apps ---------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",  # first: it replaces runserver
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "django_htmx",
    "template_partials",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_structlog",
    "django_prometheus",
    "crm.kit",
    "crm.audit",
    "crm.organisations",
    "crm.accounts",
    "crm.notices",
    "crm.integrations",
    "crm.citizens",
    "cases",
    "channels_app",
    "scheduling",
    "campaigns",
    "reporting",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm.kit.web.RequestLog",
    "crm.kit.web.PrivatePages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "crm.accounts.middleware.ActorMiddleware",
    "crm.citizens.attending.AttendingMiddleware",
    "crm.kit.web.DomainErrors",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "crm.urls"
ASGI_APPLICATION = "crm.asgi.application"
WSGI_APPLICATION = "crm.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["crm.kit.templatetags.ui", "template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.frame.frame",
            ],
        },
    },
]

FORM_RENDERER = "crm.kit.forms.Renderer"

# --- Data ---------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", engine="django.db.backends.postgresql")}
DATABASES["default"].update(
    {
        "ATOMIC_REQUESTS": False,  # one verb, one transaction: services open their own
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
)
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        # an open write transaction stalls the audit sealer, the queues and vacuum
        "options": "-c idle_in_transaction_session_timeout=30s"
        f" -c statement_timeout={env.int('STATEMENT_TIMEOUT_MS', 0)}",
    }
)
if env.bool("DATABASE_PREPARES", True):
    DATABASES["default"]["OPTIONS"].update(
        server_side_binding=True,  # Django writes the casts that the server needs then
        cursor_factory=prepared.cursor,
        prepare_threshold=2,
    )
if TESTING:  # copies of a migrated database, if boot.py made one
    DATABASES["default"]["TEST"] = {"TEMPLATE": env.str("TEST_TEMPLATE", "") or None}
else:  # test databases are dropped, which a pool's open connections would block
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL", 8),
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL").rstrip("/")
# Three databases: queues, sockets, and what is counted and cached. Test processes have their own.
_FIRST = 3 * int(env.str("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) if TESTING else 0
COUNTERS_URL = f"{REDIS_URL}/{_FIRST + 2}"
# Valkey only hints and counts: nobody waits for it. Once more at once, for a connection gone stale.
VALKEY_PATIENCE = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": Retry(NoBackoff(), 1),
}
CACHES = {
    "default": {
        "BACKEND": "crm.kit.caching.Cache",
        "LOCATION": COUNTERS_URL,
        "KEY_PREFIX": "cache",
        "TIMEOUT": 300,
        "OPTIONS": {"serializer": "crm.kit.caching.JsonSerializer", **VALKEY_PATIENCE},
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {  # no socket_timeout: its listeners are silent for long
            "hosts": [{"address": f"{REDIS_URL}/{_FIRST + 1}", "socket_connect_timeout": 0.5}],
            "prefix": "ventanilla",
        },
    },
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", f"{REDIS_URL}/{_FIRST}")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 50 * 60  # below the broker's visibility time-out: no second copy starts
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60 * 60,
    "socket_keepalive": True,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,  # of who sends a task: otherwise a request waits six seconds
    "interval_start": 0,
    "interval_step": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- People and sessions ------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "crm.accounts.authentication.PasswordBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
    if TESTING
    else "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ANONYMOUS_USER_NAME = None  # guardian: nobody gets rights by being nobody
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_FAILURE_VIEW = "crm.kit.web.csrf_failure"

PASSWORD_RESET_TIMEOUT = 4 * 60 * 60  # seconds that the link in the e-mail opens something

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "crm.accounts.authentication.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts exist by invitation, which proves the address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = reverse_lazy("account_login")
ACCOUNT_FORMS = {
    "login": "crm.accounts.forms.SignInForm",
    "reset_password": "crm.accounts.forms.ForgottenPasswordForm",
    "change_password": "crm.accounts.forms.ChangePasswordForm",
    "reauthenticate": "crm.accounts.forms.ReauthenticateForm",
}
ACCOUNT_RATE_LIMITS = {  # axes below locks by person and address; these are for a whole address
    "login": "60/m/ip",
    "login_failed": "30/5m/ip,50/h/key",
    "reset_password": "20/15m/ip,3/15m/key",
}
MFA_ADAPTER = "crm.accounts.authentication.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the invitation proved it
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # codes before and after, for clocks that differ
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = "Ventanilla"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "crm.accounts.authentication.attempted_address"
AXES_CLIENT_IP_CALLABLE = "crm.accounts.authentication.counted_address"
AXES_CLIENT_STR_CALLABLE = "crm.accounts.authentication.nameless"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # the audit trail has it
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "crm.accounts.authentication.locked_out"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # how many X-Forwarded-For entries are ours

# --- Protection of pages ------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
MAP_TILE_URL = env.str("MAP_TILE_URL", "")
MAP_ATTRIBUTION = env.str("MAP_ATTRIBUTION", "")  # whose tiles they are, as their licence asks
_tile_origins = ["/".join(MAP_TILE_URL.split("/")[:3])] if MAP_TILE_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *_tile_origins],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "connect-src": [SELF, PUBLIC_URL.replace("http", "ws", 1)],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Files and documents ------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "crm.kit.staticfiles.NodeModulesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "crm.kit.staticfiles.HashedStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION
MEDIA_ROOT = VAR_DIR / "media"
KEYS_DIR = VAR_DIR / "keys"
CHECKPOINTS_DIR = Path(env.str("AUDIT_CHECKPOINTS", str(VAR_DIR / "checkpoints")))
FILES_MAX_BYTES = env.int("FILES_MAX_BYTES", 25 * 1024 * 1024)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", 1024 * 1024 * 1024)
CLAMD_URL = env.str("CLAMD_URL", "")  # unix:/run/clamav/clamd.ctl or tcp://host:3310
PDF_TSA_URL = env.str("PDF_TSA_URL", "")
# hosts inside our own networks that may be called all the same (crm.kit.http)
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
# threads of a process that wait for other systems: one is always left for everything else
SYSTEMS_AT_ONCE = env.int("SYSTEMS_AT_ONCE", max(1, env.int("WEB_THREADS", 9) - 1))
# a server of the OpenAI protocol on own premises; empty: no language model is ever asked
LANGUAGE_MODEL_URL = env.str("LANGUAGE_MODEL_URL", "")
LANGUAGE_MODEL_NAME = env.str("LANGUAGE_MODEL_NAME", "")
LANGUAGE_MODEL_KEY = env.str("LANGUAGE_MODEL_KEY", "")
LANGUAGE_MODEL_AT_ONCE = env.int("LANGUAGE_MODEL_AT_ONCE", 1)  # workers that wait for one

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://" if PRODUCTION else "filemail://")
vars().update(EMAIL_CONFIG)
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "crm.kit.smtp.EmailBackend"
EMAIL_FILE_PATH = EMAIL_CONFIG.get("EMAIL_FILE_PATH") or str(VAR_DIR / "mail")
EMAIL_TIMEOUT = 20
# Pages where one plays the citizen's part; never where citizens are real
SIMULATORS = env.bool("SIMULATORS", APP_ENV == "development")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "ventanilla@localhost")
CAMPAIGN_SENDERS = env.int("CAMPAIGN_SENDERS", 2)  # workers that send campaigns at the same time

# --- Languages and time -------------------------------------------------------------------------
LANGUAGE_CODE = "es"
LANGUAGES = [
    ("es", _("Spanish")),
    ("ca", _("Catalan")),
    ("ca-es-valencia", _("Valencian")),
    ("gl", _("Galician")),
    ("eu", _("Basque")),
    ("fr", _("French")),
    ("en", _("English")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Madrid"

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.accounts.authentication.ApiAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],  # every view is an ActorAPIView, which demands an actor
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "crm.kit.api.Schema",
    "EXCEPTION_HANDLER": "crm.kit.api.problem_from_exception",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_RATE_PER_MINUTE = env.int("API_RATE_PER_MINUTE", 60_000)  # of one caller
SPECTACULAR_SETTINGS = {
    "TITLE": "Ventanilla API",
    "DESCRIPTION": "Cases, citizens and documents of one organisation. Errors are RFC 9457 problems.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AnswerAudienceEnum": "cases.models.answers.Audience",
        "ViewAudienceEnum": "cases.models.views.SavedView.Audience",
        "ChannelEnum": "crm.citizens.models.Channel",
        "AddressableChannelEnum": "crm.citizens.api_shapes.ADDRESSABLE_CHANNELS",
        "CitizenKindEnum": "crm.citizens.api_shapes.CitizenKind",
        "IdentifierKindEnum": "crm.citizens.api_shapes.IdentifierKind",
        "LinkKindEnum": "cases.api.shapes.LinkKind",
        "DirectionEnum": "cases.api.shapes.MessageDirection",
        "AppointmentStatusEnum": "scheduling.api_shapes.SHOWN",
        "InteractionStateEnum": "channels_app.api_shapes.InteractionState",
        "InteractionDirectionEnum": "channels_app.api_shapes.InteractionDirection",
        "MandateStateEnum": "crm.citizens.mandate_api.STATES",
        "RelationKindEnum": "crm.citizens.relation_api.RelationKind",
        "RelationSourceEnum": "crm.citizens.relation_api.RelationSource",
        "SystemStateEnum": "crm.citizens.system_api.SystemState",
        "CallOutcomeEnum": "crm.citizens.system_api.CallOutcome",
        "MandateActEnum": "crm.citizens.mandate_api.Act",
        "OriginEnum": "cases.api.tasks.PaperSource",  # of papers and documents alike
        "PaperStateEnum": "cases.api.tasks.PaperState",
        "TaskStateEnum": "cases.api.tasks.TaskState",
        "PapersEndEnum": "cases.api.letters.PapersEnd",
        "TargetEndEnum": "cases.api.targets.TargetEnd",
        "DraftKindEnum": "cases.api.drafts.DraftKind",
        "TransferStateEnum": "cases.api.transfers.TransferState",
        "TransferBasisEnum": "cases.api.transfers.TransferBasis",
        "ConsultationStateEnum": "cases.api.transfers.ConsultationState",
        "ConsultationWordKindEnum": "cases.api.transfers.ConsultationWordKind",
        "AnswerStatusEnum": "cases.api.answers.AnswerStatus",
        "AppointmentModalityEnum": "scheduling.api_shapes.AppointmentModality",
    },
}

# --- Logs and metrics ---------------------------------------------------------------------------
LOGGING_CONFIG = "crm.kit.logs.configure"
LOGGING = {"level": env.str("LOG_LEVEL", "WARNING" if TESTING else "INFO"), "json": PRODUCTION}
DJANGO_STRUCTLOG_USER_ID_FIELD = "uuid"
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # no personal data in logs
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # without one, /metrics is for this machine only

UNFOLD = {
    "SITE_TITLE": "Ventanilla",
    "SITE_HEADER": "Ventanilla",
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
}
# What a row was before each change; how it was made stands in the audit trail and its own events.
PGHISTORY_DEFAULT_TRACKERS = (
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
)
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(related_name="history", related_query_name="history")
SILENCED_SYSTEM_CHECKS: list[str] = []
