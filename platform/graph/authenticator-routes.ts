// The server side of the authentication port over HTTP: the system subgraph's process answers gateways on other hosts.
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../caller/access.ts';
import { callerOf, forCaller, nobodyKnown } from '../caller/caller.ts';
import { CodedError } from '../errors/errors.ts';
import { HttpError } from './http-body.ts';
import { type IdentityClaims, identityShape } from './signed-identity.ts';

/** Answers one path of a served subgraph; its result is sent as JSON. */
export type InternalRoute = (body: unknown, claims: IdentityClaims) => Promise<unknown>;

export const authenticatePath = '/internal/authenticate';
export const recheckPath = '/internal/recheck';
export const checkLoginPath = '/internal/check-login';

const short = z.string().max(255);

/** A login somewhere else than at a gateway (platform/caller/access.ts). */
export const loginQuestionShape = z.object({
  credentials: z.union([
    z.object({ name: z.string().max(1_024), password: z.string().max(4_096) }),
    z.object({ token: z.string().max(4_096) }),
  ]),
  origin: z.object({ address: short, toldBy: short.optional(), via: short }),
});

export const loginAnswerShape = z.union([
  z.object({ identity: identityShape }),
  z.object({
    refused: z.object({
      code: z.enum(['BAD_CREDENTIALS', 'RATE_LIMITED']),
      message: z.string(),
      retryAfterMs: z.number().optional(),
    }),
  }),
]);

/** `caller`: the owner of the credential at the gateway's last check (platform/caller/caller.ts). */
const credentialShape = z.object({ bearer: z.string().max(8192), caller: z.string().max(64).optional() });

/** With status 503: the credential was not checked, because the database is changing its primary. */
export const busyShape = z.object({ code: z.literal('BUSY'), error: z.string(), retryAfterMs: z.number() });

/** Deadline for the database. */
const deadlineMs = 5000;

function read<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new HttpError(400, z.prettifyError(parsed.error));
  return parsed.data;
}

export function internalRoutes(authenticator: Authenticator, checkLogin?: CheckLogin): [string, InternalRoute][] {
  const answer = async (identity: ReturnType<Authenticator['authenticate']>) => {
    try {
      return { identity: (await identity) ?? null };
    } catch (error) {
      throw error instanceof CodedError ? awayError(error) : error;
    }
  };
  return [
    [
      authenticatePath,
      async (body) => {
        const { bearer, caller = nobodyKnown } = read(credentialShape, body);
        const signal = AbortSignal.timeout(deadlineMs);
        return answer(forCaller(caller, () => authenticator.authenticate(bearer, signal)));
      },
    ],
    [
      recheckPath,
      async (body) => {
        const { identity } = read(z.object({ identity: identityShape }), body);
        const signal = AbortSignal.timeout(deadlineMs);
        return answer(forCaller(callerOf(identity), () => authenticator.recheck(identity, signal)));
      },
    ],
    ...(checkLogin === undefined ? [] : [loginRoute(checkLogin)]),
  ];
}

function awayError({ message, extensions }: CodedError): HttpError {
  return new HttpError(503, message, extensions);
}

function loginRoute(checkLogin: CheckLogin): [string, InternalRoute] {
  return [
    checkLoginPath,
    async (body) => {
      const { credentials, origin } = read(loginQuestionShape, body);
      return checkLogin(credentials, origin, AbortSignal.timeout(deadlineMs));
    },
  ];
}
