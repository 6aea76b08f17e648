// A login at a cluster: the messages from its server to its controller, from its controller to the control plane over the link, and the
// answers. Only the request has a password; none of them stores or logs it.
import { z } from 'zod';
import { mostAccounts } from './cluster-tokens.ts';

/** At a controller's endpoint. */
export const loginPath = '/-/login';
/** Size limit of a login request. */
export const mostLoginBytes = 16 * 1024;
/** Time limit for the control plane, which hashes the password. */
export const controlPlaneAnswerMs = 10_000;

const credentialsShape = z.union([
  z.strictObject({ name: z.string().min(1).max(255), password: z.string().min(1).max(1_024) }),
  z.strictObject({ token: z.string().min(1).max(4_096) }),
]);

/** From a server: who logs in, and from where. */
export const loginQuestion = z.object({
  credentials: credentialsShape,
  address: z.string().max(64),
  /** Name, UUID or id. Absent for all projects of the user. */
  project: z.string().min(1).max(255).optional(),
});
export type LoginQuestion = z.output<typeof loginQuestion>;

/** From a controller, over the link. */
export const controlPlaneQuestion = z.object({ login: loginQuestion });

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);

/** An account, and what the user may do with it. */
const grantShape = z.object({
  account: hex32,
  /** UUID. */
  projectId: z.uuid(),
  project: z.string().max(255),
  canWrite: z.boolean(),
});
export type Grant = z.output<typeof grantShape>;

const refusalShape = z.object({
  code: z.enum(['BAD_CREDENTIALS', 'RATE_LIMITED', 'NO_PROJECT', 'DRAINED', 'UNAVAILABLE']),
  message: z.string().max(1_000),
  retryAfterMs: z.number().optional(),
});
export type LoginRefusal = z.output<typeof refusalShape>;

/** From the control plane. */
export const controlPlaneAnswer = z.union([
  z.object({
    user: z.object({ id: z.uuid(), name: z.string().max(255) }),
    grants: z.array(grantShape).max(mostAccounts).readonly(),
  }),
  z.object({ refused: refusalShape }),
]);
export type ControlPlaneAnswer = z.output<typeof controlPlaneAnswer>;

/** From a controller. */
export const loginAnswer = z.union([
  z.object({
    token: z.string().max(8_192),
    expiresAt: z.iso.datetime(),
    user: z.string().max(255),
    grants: z.array(grantShape).max(mostAccounts).readonly(),
  }),
  z.object({ refused: refusalShape }),
]);
export type LoginAnswer = z.output<typeof loginAnswer>;
