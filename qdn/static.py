"""Static files: WhiteNoise serves them, fit for an ASGI server, hashed when collected."""

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise streams files with a synchronous iterator, which ASGI can only buffer with a warning; ours are small."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(found.status), headers=dict(found.headers))
        if "Content-Type" not in dict(found.headers):
            del response["Content-Type"]
        return response


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names also inside `import … from "./store.js"`, so that a page never mixes two releases of its modules."""

    support_js_module_import_aggregation = True
