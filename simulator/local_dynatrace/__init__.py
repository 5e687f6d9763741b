"""The local environment: stands in for a Dynatrace environment and the Sectigo SCM audit API. See README.md."""

VERSION = "0.1.0"
