/**
 * Decides who may use the API: by the app's own check, the API token, a login of the dashboard or, without a
 * token, by this machine's address. Each way names the actor for the audit.
 */
import { z } from "zod";
import type { TandemCore } from "../../compose.ts";
import { auditText, recordAct } from "./audit.ts";
import type { Caller, Entry } from "./caller.ts";
import { refuseElsewhere, refuseForeignPage } from "./guard.ts";
import { problem, readBody } from "../protocol/index.ts";
import { cookieOf, newCookie, sameSecret, setCookie, tokenDigest } from "./session.ts";
import { createTokenAttempts } from "./token-attempts.ts";

export interface Access {
  /** The actor of the request, or the refusal. */
  admit(request: Request, caller: Caller): Promise<Entry | Response>;
  /** `POST /api/login` with `{ "token": "..." }`: 204 and the cookie, 401, or 429. */
  login(request: Request, caller: Caller): Promise<Response>;
}

const shape = z.object({ token: z.string() });

/** The sender is not authenticated yet, and must not fill the memory. */
const LARGEST_LOGIN_BYTES = 4_096;

export function createAccess(
  core: Pick<TandemCore, "services">,
  { apiToken, authorize }: HandlerOptions,
): Access {
  const { clock, store } = core.services;
  const attempts = createTokenAttempts(clock);

  /** The refusal of a wrong token, or `null` for the right one. */
  async function tryToken(given: string, token: string, caller: Caller): Promise<Response | null> {
    const wait = attempts.wait(caller.peer);
    if (wait > 0) return tooManyAttempts(wait);
    // Compared and counted without an await in between, so that concurrent requests are counted one by one.
    if (sameSecret(given, token)) return null;
    const failures = attempts.fail(caller.peer);
    if (failures !== null) {
      await recordAct(core.services, {
        actor: "unknown",
        act: "login",
        subject: failures === 1 ? "" : `${String(failures)} attempts`,
        origin: originOf(caller),
        status: 401,
      });
    }
    return problem(
      401,
      "wrong_token",
      "the token is wrong",
      "Send the value of TANDEM_API_TOKEN from the server's environment.",
    );
  }

  async function admitWithToken(
    request: Request,
    token: string,
    caller: Caller,
  ): Promise<Entry | Response> {
    const origin = originOf(caller);
    const given = /^Bearer\s+(.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const refusal = given === undefined ? noToken() : await tryToken(given, token, caller);
    if (refusal === null) return { actor: "API token", origin, session: null };
    const cookie = cookieOf(request);
    if (cookie === null || !(await store.sessions.use(cookie.id, tokenDigest(cookie, token)))) {
      return refusal;
    }
    // Browsers send the cookie without being asked, so the request must come from our own page.
    const entry = { actor: loginName(cookie.id), origin, session: cookie.id };
    return refuseForeignPage(request) ?? entry;
  }

  return {
    async admit(request, caller) {
      const origin = originOf(caller);
      const allowed = authorize === undefined ? false : await authorize(request);
      if (allowed !== false && allowed !== "") {
        const actor = allowed === true ? "the app" : auditText(allowed);
        return refuseForeignPage(request) ?? { actor, origin, session: null };
      }
      if (apiToken !== undefined) return admitWithToken(request, apiToken, caller);
      return refuseElsewhere(request, caller) ?? { actor: "this machine", origin, session: null };
    },
    async login(request, caller) {
      if (apiToken === undefined) return noLogin();
      const given = shape.safeParse(jsonOf(await readBody(request, LARGEST_LOGIN_BYTES)));
      const refusal = await tryToken(given.data?.token ?? "", apiToken, caller);
      if (refusal !== null) return refusal;
      const cookie = newCookie();
      const { id } = cookie;
      const origin = originOf(caller);
      await store.transaction(async (tx) => {
        await tx.sessions.open({ id, tokenDigest: tokenDigest(cookie, apiToken), origin });
        const act = { actor: loginName(id), act: "login", subject: id, origin, status: 204 };
        await tx.audit.append(act);
      });
      return new Response(null, {
        status: 204,
        headers: { "set-cookie": setCookie(request, cookie) },
      });
    },
  };
}

function loginName(id: string): string {
  return `login ${id.slice(0, 8)}`;
}

function originOf({ peer }: Caller): string {
  return auditText(peer ?? "unknown");
}

function jsonOf(body: Uint8Array | null): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body ?? new Uint8Array()));
  } catch {
    return null;
  }
}

function noToken(): Response {
  return problem(
    401,
    "no_token",
    "this API needs its token",
    "Send it as `Authorization: Bearer ...`, or log in at the dashboard. The token is the value of TANDEM_API_TOKEN from the server's environment.",
  );
}

function noLogin(): Response {
  return problem(
    404,
    "no_login",
    "this server was started without a token, so there is no login",
    "Start it with TANDEM_API_TOKEN, or use the API without a login.",
  );
}

function tooManyAttempts(waitMillis: number): Response {
  const seconds = String(Math.ceil(waitMillis / 1_000));
  const refusal = problem(
    429,
    "too_many_attempts",
    `too many wrong tokens were sent, from this address or in total; the next try is possible in ${seconds} s`,
    "Wait, then send the value of TANDEM_API_TOKEN of the server. Open dashboards keep working.",
  );
  refusal.headers.set("retry-after", seconds);
  return refusal;
}

export interface HandlerOptions {
  /**
   * The token for every API request. Default: `TANDEM_API_TOKEN` of the environment. Without one only this
   * machine can use the API, and a handler that is mounted in another app refuses every API request.
   */
  readonly apiToken?: string;
  /**
   * The app's own check, for a handler that is mounted behind the app's login. API requests that it allows
   * need no token. Webhooks never call it. If it returns a text, the request is allowed, and the text names
   * the actor for the audit.
   *
   * @example createTandem(config, { authorize: (request) => adminOf(request)?.email ?? false })
   */
  readonly authorize?: (request: Request) => boolean | string | Promise<boolean | string>;
  /**
   * The path below which the app mounts Tandem, if requests arrive with it. Dashboard, API, webhooks and probes
   * are below it, and any other path is answered 404. Headers do not change it. Default: `/`.
   *
   * @throws ConfigError `bad_base_path`, from `createTandem`
   * @example createTandem(config, { basePath: "/ops/tandem" }) // the page is at /ops/tandem/
   */
  readonly basePath?: string;
}
