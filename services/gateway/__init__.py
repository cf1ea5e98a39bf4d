"""The public API and the studio page.

Purpose: takes requests in, stores their images, saves the first version of a trajectory and
shows what becomes of it; never changes a status itself. Port 8200 by default. Sends to the
queues of ``shared.queue``, listens to none. Environment prefix: ``GATEWAY_``.
"""
