from django.http import HttpResponse
from django.shortcuts import render

from core.http import DeskRequest
from core.models import Role
from crm import abilities
from crm.access import TABLE


def roles(request: DeskRequest) -> HttpResponse:
    context = {"rows": abilities.rows(TABLE), "roles": Role.labels}
    return render(request, "crm/roles.html", context)
