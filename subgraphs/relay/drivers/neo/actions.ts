// NEO's writes. Each starts a job. NVIDIA NEO REST API Guide 2.7.20, Provisioning and Port Provisioning.

import type { HttpCall, HttpReply, JsonObject, JsonValue, OperationSpec, Outcome, RenderContext } from '../driver.ts';
import { jobReader, probeOf, writeMark } from './jobs.ts';
import { jobOutcome, type NeoOperation, post } from './rest.ts';

type Written = Pick<
  OperationSpec<JsonObject, HttpReply>,
  | 'name'
  | 'summary'
  | 'argumentsSchema'
  | 'example'
  | 'refine'
  | 'object'
  | 'mapping'
  | 'desired'
  | 'effect'
  | 'recognised'
> & {
  /** The path, and the body without its description. */
  readonly call: (args: JsonObject) => { readonly path: string; readonly body: JsonObject };
  readonly guard?: (args: JsonObject) => JobGuard;
};

/** NEO has no request that depends on anything: the job is asked for only if a read, directly before it, has no obstacle. */
export interface JobGuard {
  readonly path: string;
  /** Undefined if the job may be asked for. */
  obstacle(reply: HttpReply): Outcome | undefined;
}

/** An operation with the outcome of a job that has the call's mark. */
export function jobOperation({ call, guard, ...spec }: Written): NeoOperation {
  return {
    ...spec,
    category: 'USER',
    render(args, { operationId }: RenderContext): HttpCall {
      const { path, body } = call(args);
      const job = post(path, { ...body, description: writeMark(operationId, spec.name) });
      if (guard === undefined) return job;
      const { path: read, obstacle } = guard(args);
      return { ...job, guard: { path: read, allows: (reply) => obstacle(reply) === undefined } };
    },
    interpret(reply, args) {
      if (reply.unsent !== true) return jobOutcome(reply);
      const again = { code: 'DEVICE_BUSY', message: 'NEO answered differently when asked again.' };
      return guard?.(args).obstacle(reply) ?? { state: 'FAILED', ...again };
    },
    probe: probeOf(spec.mapping === 'deletes'),
    job: jobReader,
  };
}

/** Command lines for switches, entered in configuration mode. */
export function runCli(devices: readonly string[], commandline: readonly string[]) {
  const params = { commandline, arguments: { globals: {}, devices: {} } };
  return { path: '/neo/actions', body: { action: 'run_cli', params, object_ids: devices } };
}

export function runTemplate(template: string, devices: readonly string[], globals: JsonValue) {
  const params = { arguments: { globals, devices: {} } };
  return { path: `/neo/actions/provisioning/${encodeURIComponent(template)}`, body: { params, object_ids: devices } };
}

/** `ports` as captioned by NEO, for example Eth1/4. */
export function provisionPorts(template: string, device: string, ports: readonly string[], globals: JsonValue) {
  const params = { template_name: template, arguments: { globals } };
  return { path: '/neo/actions/ports', body: { action: 'port_provisioning', params, ports: { [device]: ports } } };
}
