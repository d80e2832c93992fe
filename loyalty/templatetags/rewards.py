"""Codes of customers as they read them."""

from django import template

from loyalty import codes

register = template.Library()
register.filter("in_groups", codes.shown)
