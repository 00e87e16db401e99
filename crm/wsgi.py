"""Pages and API at scale: WSGI workers serve synchronous views four to five times faster than ASGI."""

import os
import sys

from django.core.wsgi import get_wsgi_application

# a thread back from the database waits for another's Python at most this long: 5 ms, the default, is
# as long as a whole answer takes, and it may hold the lock that the others wait for
sys.setswitchinterval(0.0005)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

application = get_wsgi_application()
