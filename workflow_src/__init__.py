"""What runs in Dynatrace: the sync script, the workflow around it, and the renderer that joins the two."""
