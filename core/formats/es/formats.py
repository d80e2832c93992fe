"""What differs from Django's Spanish formats: a comma between date and time."""

DATETIME_FORMAT = r"j \d\e F \d\e Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y, H:i"
