import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
application = get_wsgi_application()
# Read every page's code before the server forks: a fault stops the start and not the first visitor, who would also wait
# for it, and the processes share the memory.
_ = get_resolver().url_patterns
