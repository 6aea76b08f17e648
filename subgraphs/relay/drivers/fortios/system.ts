// The device as a whole: its identity, over either wire, and saving its configuration on the command line. FortiOS CLI reference,
// get system status and execute cfg save.

import { objectIn } from '../answer.ts';
import type {
  CliCall,
  CliDialect,
  CliReply,
  Health,
  JsonObject,
  OperationSpec,
  Outcome,
  RenderContext,
  Reply,
  SelfDescription,
} from '../driver.ts';
import { argumentsSchema, isObject, plainRead } from '../json.ts';
import { isAtLeast, versionText } from './version.ts';

interface SystemStatus {
  readonly version: string;
  readonly build: number;
  readonly serial: string;
  readonly hostname: string | null;
  readonly model: string | null;
}

/** 5.6.8 answers 404 here (prometheus-community/fortigate_exporter#158). */
export const statusPath = '/api/v2/monitor/system/status';
/** Every answer of the configuration's tables names version, build and serial number; this one has the name too. */
export const globalPath = '/api/v2/cmdb/system/global';

function renderStatus({ backend }: RenderContext) {
  if (backend.transport === 'ssh') return { kind: 'cli', lines: ['get system status'] } as const;
  return get(isAtLeast(backend.softwareVersion, 6, 0, 0) === false ? globalPath : statusPath);
}

const get = (path: string) => ({ kind: 'http', method: 'GET', path }) as const;

/** Undefined if there is no such line. */
function readStatus(reply: Reply): SystemStatus | undefined {
  if (reply.truncated) return undefined;
  if (reply.kind === 'http') return reply.status === 200 ? fromJson(objectIn(reply.body)) : undefined;
  return reply.kind === 'cli' ? fromLines(reply.outputs[0]?.output ?? '') : undefined;
}

function fromJson(object: JsonObject | undefined): SystemStatus | undefined {
  const { version, build, serial, status } = object ?? {};
  if (status !== 'success' || typeof version !== 'string' || typeof build !== 'number' || typeof serial !== 'string') {
    return undefined;
  }
  const results = isObject(object?.results) ? object.results : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return { version, build, serial, hostname: text(results.hostname), model: text(results.model) };
}

function fromLines(output: string): SystemStatus | undefined {
  const [, model, version, build] = /^Version: (\S+) (v[\d.]+),build(\d+)/m.exec(output) ?? [];
  const serial = /^Serial-Number: (\S+)/m.exec(output)?.[1];
  if (model === undefined || version === undefined || serial === undefined) return undefined;
  return { version, build: Number(build), serial, hostname: /^Hostname: (\S+)/m.exec(output)?.[1] ?? null, model };
}

function describeSelf(reply: Reply): SelfDescription | undefined {
  const status = readStatus(reply);
  return (
    status && {
      softwareVersion: versionText(status.version, status.build).slice(0, 255),
      serial: status.serial.slice(0, 64),
    }
  );
}

export const health: Health = {
  render: renderStatus,
  interpret: describeSelf,
  otherwise: {
    render: (context) => (context.backend.transport === 'ssh' ? renderStatus(context) : get(globalPath)),
    interpret: describeSelf,
  },
};

export const systemInfo: OperationSpec<JsonObject> = {
  name: 'system.info',
  summary: "Reads the device's model, version, serial number and name.",
  ...plainRead,
  render: (_args, context) => renderStatus(context),
  interpret(reply): Outcome {
    const status = readStatus(reply);
    if (status) return { state: 'SUCCEEDED', result: { ...status } };
    const code = reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY';
    return { state: 'FAILED', code, message: "The device's answer is not the status of a FortiGate." };
  },
};

const saveLine = 'execute cfg save';

/** Errors are texts on standard output. */
const refusal = /Command fail|Unknown action|parse error|permission denied/i;

export const configSave: OperationSpec<JsonObject, CliReply> = {
  name: 'config.save',
  summary: 'Saves the configuration on devices that do not save it automatically (cfg-save manual or revert).',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({}),
  example: {},
  object: () => ({ resource: 'configuration', scope: 'device', key: 'saved' }),
  render: (_args, { backend }): CliCall => {
    return { kind: 'cli', lines: backend.options.multiVdom === true ? ['config global', saveLine, 'end'] : [saveLine] };
  },
  interpret(reply): Outcome {
    // The lines around it do not matter: saved is saved.
    const words = reply.outputs.find(({ line }) => line === saveLine)?.output.trim();
    if (reply.truncated || words === undefined) {
      return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: 'The reply is incomplete.' };
    }
    if (refusal.test(words)) return { state: 'FAILED', code: 'DEVICE_REFUSED', message: words.slice(0, 4_096) };
    // Empty output when the configuration is saved automatically.
    if (words === '' || /\bsaved\b/i.test(words)) return { state: 'SUCCEEDED', result: { words } };
    return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: `The device answered: ${words.slice(0, 200)}` };
  },
};

/**
 * Paging is a persistent setting of the device, so it is left unchanged. The prompt is `# ` for an administrator, `$ ` for a
 * read-only one.
 */
export const dialect: CliDialect = {
  prompt: /^[\w.-]{1,63} (?:\([^()]{1,100}\) )?[#$] $/,
  setup: [],
  // `post-login-banner`: netmiko (fortinet_ssh.py) answers `(Press 'a' to accept):` so.
  banner: { pattern: /\bto accept\W*$/, answer: 'a\r' },
  pager: { pattern: /--More-- ?$/, answer: ' ' },
  reset: ['abort', 'abort', 'abort', 'abort'],
};
