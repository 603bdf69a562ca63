"""HTTP functions of every kind that the host must route."""

import json
import logging
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="echo/{name}/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("X-Mixed-Case"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(body), mimetype="application/json", status_code=201)


@app.route(route="things/{id:int?}", methods=["GET"])
def things(req: func.HttpRequest, context: func.Context) -> str:
    return f"{context.function_name} {req.route_params.get('id')}"


@app.route(route="things/special", methods=["GET"])
async def special(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(
        f"special {req.method}",
        headers={"Set-Cookie": "a=1; Path=/", "X-Own": "yes"},
    )


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def telling(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("told", headers={"X-Own": req.get_body().decode()})


@app.route(methods=["POST"], auth_level=func.AuthLevel.ADMIN)
def failing(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info('{"event": "app.line", "method": "%s"}', req.method)
    raise RuntimeError("told to fail")


@app.route(methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def leaving(req: func.HttpRequest) -> func.HttpResponse:
    raise SystemExit(req.method)


@app.route(methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def crashing(req: func.HttpRequest) -> func.HttpResponse:
    os._exit(int(req.params.get("code", "4")))
