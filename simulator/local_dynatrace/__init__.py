"""The local environment: a Dynatrace environment on this machine, for anybody. See README.md."""

VERSION = "0.1.0"
