// The first step of a call: its input is valid by itself, and names a project that the caller may use.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { projectsOf } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { checkCmpReference } from '../model/cmp-reference.ts';
import type { CallRequest } from './call-request.ts';

export interface AdmittedCall {
  readonly context: RequestContext;
  readonly request: CallRequest;
  /** The projects in which its backend may be. */
  readonly projects: 'all' | readonly string[];
  /** Null until the backend is chosen. */
  readonly projectId: string | null;
}

/** Refuses with all faults of the input, or NOT_FOUND. */
export function admit(context: RequestContext, request: CallRequest): AdmittedCall {
  const { input, keyRequired } = request;
  const check = new InputCheck();
  check.idempotencyKey(input.idempotencyKey, { required: keyRequired && input.dryRun !== true });
  check.integer('waitMs', input.waitMs, { min: 0, max: 120_000 });
  check.integer('deadlineMs', input.deadlineMs, { min: 100, max: 600_000 });
  checkCmpReference(check, input.cmpObject);
  request.check(check);
  check.throwIfAny();
  const projects = projectsOf(context.identity, input.projectId);
  const [only] = projects;
  return { context, request, projects, projectId: projects !== 'all' && projects.length === 1 ? (only ?? null) : null };
}
