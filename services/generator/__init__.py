"""The generator service: ``POST /v1/images`` draws one picture and stores it.

Port 8203 by default, no queue, environment prefix ``GENERATOR_``.
"""
