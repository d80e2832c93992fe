from django.http import HttpResponse
from django.shortcuts import render

from core.http import DeskRequest


def index(request: DeskRequest) -> HttpResponse:
    return render(request, "core/settings.html")
