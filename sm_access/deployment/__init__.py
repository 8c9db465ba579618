"""What a real account needs for requests among a team, as templates: generated, never applied from here."""
