"""Random statements by people who know every id, against a model of what each may see and change."""
