// Import and application of ASM policies: the device accepts a task at once and executes it later. iControl REST ASM Reference
// 13.1, /mgmt/tm/asm/tasks: NEW, STARTED, then COMPLETED or FAILURE.

import { longestActsForMs } from '../define-driver.ts';
import type { HttpReply, JobFinding, JobReader, JsonObject, JsonValue, Outcome, Probe } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { describePolicy, policiesPath, policyArguments, policyIn, policyObject, policyPath } from './asm-policies.ts';
import { fullPathOf } from './names.ts';
import { get, itemsOf, post, type RestOperation, readAnswer, readOutcome, writeOutcome } from './rest.ts';
import { name, partition, policyId } from './schema.ts';

type TaskType = 'import-policy' | 'apply-policy';

const tasksPath = (type: string): string => `/mgmt/tm/asm/tasks/${type}`;
const taskPath = (type: string, id: string): string => `${tasksPath(type)}/${encodeURIComponent(id)}`;
const linkTo = (id: string): string => `https://localhost${policiesPath}/${id}`;

const maxFileLength = 256 * 1024;

function isTask(object: JsonObject, type: string): boolean {
  const id = typeof object.id === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(object.id);
  return object.kind === `tm:asm:tasks:${type}:${type}-taskstate` && id && typeof object.status === 'string';
}

function accepted(reply: HttpReply, type: TaskType, about: JsonObject): Outcome {
  // The reply repeats the subject of the task. If a release leaves it out, that is no contradiction.
  const isOther = ({ fullPath, policyReference }: JsonObject) =>
    policyReference === undefined
      ? about.fullPath !== undefined && fullPath !== undefined && fullPath !== about.fullPath
      : about.policy !== undefined && policyIn(policyReference) !== about.policy;
  return writeOutcome(reply, (object): Outcome | undefined =>
    isTask(object, type) && !isOther(object)
      ? { state: 'ACCEPTED', result: { task: object.id, type, ...about } }
      : undefined,
  );
}

function describeTask(task: JsonObject): JsonObject {
  const result = isObject(task.result) ? task.result : {};
  return {
    task: task.id ?? null,
    status: task.status ?? null,
    message: result.message ?? null,
    policy: policyIn(result.policyReference) ?? policyIn(task.policyReference) ?? null,
    startTime: task.startTime ?? null,
    endTime: task.endTime ?? null,
  };
}

/** A task has no documented limit. So this is the longest time that a driver may declare. It includes the lag of the shown state. */
const actsForMs = longestActsForMs;

const taskIn = (accepted: JsonValue): string => (isObject(accepted) ? String(accepted.task) : '');

/** The state of the task; `succeeded` is the finding for a successful one. */
function jobOf(
  type: TaskType,
  succeeded: (task: JsonObject, args: JsonObject) => JobFinding,
): JobReader<JsonObject, HttpReply> {
  return {
    render: (accepted) => get(taskPath(type, taskIn(accepted))),
    interpret(reply, accepted, args) {
      const answer = readAnswer(reply);
      // If the device no longer knows a task, its end is unknown.
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      const task = answer.object;
      if (!isTask(task, type) || task.id !== taskIn(accepted))
        return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
      const { message } = describeTask(task);
      switch (task.status) {
        case 'COMPLETED':
          return succeeded(task, args);
        case 'FAILURE':
          return { finding: 'FAILED', code: 'TASK_FAILED', message: String(message ?? 'The device gave no reason.') };
        case 'NEW':
        case 'STARTED':
          return { finding: 'RUNNING', message: `The task is ${task.status}.` };
        default:
          return {
            finding: 'UNREADABLE',
            message: `The task is in the unknown state ${String(task.status)}.`,
          };
      }
    },
  };
}

/**
 * A task has no mark. The absence of a task for this policy is visible, but not which call made an existing one.
 */
const importProbe: Probe<JsonObject, HttpReply> = {
  render: () => get(tasksPath('import-policy')),
  interpret(reply, args) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
    const tasks = itemsOf(answer.object);
    if (!tasks) return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
    const about = (task: JsonObject): boolean =>
      args.policy === undefined ? task.fullPath === pathOf(args) : policyIn(task.policyReference) === args.policy;
    const found = tasks.filter(about).map((task) => `${String(task.id)} (${String(task.status)})`);
    if (found.length === 0) return { finding: 'ABSENT' };
    return {
      finding: 'UNREADABLE',
      message: `The device has tasks for this policy, but does not tell which call started them: ${found.join(', ')}.`,
    };
  },
};

const pathOf = (args: JsonObject): string => fullPathOf(String(args.partition), String(args.name));

export const policyImport: RestOperation = {
  name: 'asmPolicy.import',
  summary:
    'Imports a policy file, as a new policy or in place of an existing one. The device runs a task, so the operation is ACCEPTED at first.',
  category: 'USER',
  // An import to a name that is taken makes a copy with another name (BIG-IP 14.1.4: F5Networks/f5-ansible#2067).
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      name,
      partition,
      file: { type: 'string', minLength: 1, maxLength: maxFileLength, description: 'The policy, as XML.' },
      policy: { ...policyId, description: 'The policy to replace. Without it, a new policy is created.' },
    },
    ['name', 'file'],
  ),
  example: { name: 'shop', file: '<?xml version="1.0"?><policy></policy>' },
  object: policyObject,
  mapping: 'creates',
  desired: (args) => ({ name: args.name, partition: args.partition }),
  render: (args) => {
    // The policy by its reference, or the name of a new one: with both, 14.1.4 makes a copy (F5Networks/f5-ansible#2067).
    const target =
      args.policy === undefined
        ? { fullPath: pathOf(args) }
        : { policyReference: { link: linkTo(String(args.policy)) } };
    const file = Buffer.from(String(args.file), 'utf8').toString('base64');
    return post(tasksPath('import-policy'), { file, isBase64: true, ...target });
  },
  interpret: (reply, args) => accepted(reply, 'import-policy', { fullPath: pathOf(args) }),
  actsForMs,
  probe: importProbe,
  job: jobOf('import-policy', (task, args) => {
    const described = describeTask(task);
    // Without the policy's id nothing can be done with it.
    if (typeof described.policy !== 'string') {
      return { finding: 'UNREADABLE', message: 'The task is COMPLETED, but does not name the policy.' };
    }
    const path = pathIn(described.message);
    const isWanted = args.policy === undefined ? path === pathOf(args) : described.policy === args.policy;
    if (isWanted) return { finding: 'SUCCEEDED', result: described, uuid: described.policy };
    if (args.policy === undefined && path === undefined) {
      const message = `The task is COMPLETED, but does not say under which name it made the policy ${described.policy}.`;
      return { finding: 'UNREADABLE', message };
    }
    const made = `${path ?? 'another policy'} (${described.policy})`;
    return { finding: 'FAILED', code: 'COPY_MADE', message: `The device made ${made} instead: the name was taken.` };
  }),
};

/** BIG-IP 16.1 writes: `… The security policy name is '/Common/shop'. …` (recorded in f5devcentral/go-bigip, awaf_test.go). */
function pathIn(message: JsonValue | undefined): string | undefined {
  return /security policy name is ["'](\/[^"']+)["']/.exec(String(message))?.[1];
}

export const policyApply: RestOperation = {
  name: 'asmPolicy.apply',
  summary:
    'Applies a changed policy. The device runs a task, so the operation is ACCEPTED at first. It may show the policy as modified for a minute more.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(policyArguments, ['policy']),
  example: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', name: 'shop' },
  object: policyObject,
  render: (args) => post(tasksPath('apply-policy'), { policyReference: { link: linkTo(String(args.policy)) } }),
  interpret: (reply, args) => accepted(reply, 'apply-policy', { policy: args.policy ?? null }),
  actsForMs,
  probe: {
    render: (args) => get(policyPath(String(args.policy))),
    interpret(reply, args) {
      const answer = readAnswer(reply);
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      const policy = describePolicy(answer.object);
      if (policy.policy !== args.policy) {
        return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
      }
      // `isModified` lags behind the task: f5-ansible (bigip_asm_policy_manage) reads it for up to a minute. The absence counts only
      // after `actsForMs`, of which that minute is a part.
      return policy.active === true && policy.modified === false ? { finding: 'PRESENT' } : { finding: 'ABSENT' };
    },
  },
  job: jobOf('apply-policy', (task) => ({ finding: 'SUCCEEDED', result: describeTask(task) })),
};

export const taskGet: RestOperation = {
  name: 'asmTask.get',
  summary: 'Reads the progress of a task.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema(
    {
      type: { type: 'string', enum: ['import-policy', 'apply-policy'] },
      task: { ...policyId, description: 'The id of the task.' },
    },
    ['type', 'task'],
  ),
  example: { type: 'import-policy', task: 'PW6zgmf9L7C4I8UdUjaWgw' },
  render: (args) => get(taskPath(String(args.type), String(args.task))),
  interpret: (reply, args) =>
    readOutcome(reply, (object): JsonValue | undefined =>
      isTask(object, String(args.type)) && object.id === args.task ? describeTask(object) : undefined,
    ),
};
