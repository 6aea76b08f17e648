// The server side of the authentication port over HTTP: the system subgraph's process answers gateways on other hosts.
import { z } from 'zod';
import type { Authenticator } from '../access.ts';
import { HttpError } from './http-body.ts';
import { type IdentityClaims, identityShape } from './signed-identity.ts';

/** Answers one path of a served subgraph; its result is sent as JSON. */
export type InternalRoute = (body: unknown, claims: IdentityClaims) => Promise<unknown>;

export const authenticatePath = '/internal/authenticate';
export const recheckPath = '/internal/recheck';

/** Deadline for the database. */
const deadlineMs = 5000;

function read<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new HttpError(400, z.prettifyError(parsed.error));
  return parsed.data;
}

export function internalRoutes(authenticator: Authenticator): [string, InternalRoute][] {
  const answer = async (identity: ReturnType<Authenticator['authenticate']>) => ({
    identity: (await identity) ?? null,
  });
  return [
    [
      authenticatePath,
      async (body) => {
        const { bearer } = read(z.object({ bearer: z.string().max(8192) }), body);
        return answer(authenticator.authenticate(bearer, AbortSignal.timeout(deadlineMs)));
      },
    ],
    [
      recheckPath,
      async (body) => {
        const { identity } = read(z.object({ identity: identityShape }), body);
        return answer(authenticator.recheck(identity, AbortSignal.timeout(deadlineMs)));
      },
    ],
  ];
}
