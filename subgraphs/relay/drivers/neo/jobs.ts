// NEO's jobs. NVIDIA NEO REST API Guide 2.7.20, Jobs: a job has a sub-job for each switch; an unknown job is an empty list. A
// call writes its mark into the job's description, and finds the job by it.

import type { HttpReply, JobReader, JsonObject, JsonValue, Probe } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { get, type NeoOperation, objectsIn, readAnswer, readOutcome } from './rest.ts';
import { device, jobId } from './schema.ts';

const jobsPath = '/neo/app/jobs';
const parentsPath = `${jobsPath}?parent_id=null`;
const jobPath = (id: string): string => `${jobsPath}/${encodeURIComponent(id)}`;

/** For a job's description: `tg:<operation id> <operation>`. NEO may show it after a blank, as in the guide's own samples. */
export function writeMark(operationId: string, operation: string): string {
  return `tg:${operationId} ${operation}`;
}

function readMark(description: JsonValue | undefined): string | undefined {
  return typeof description === 'string' ? /^\s*tg:([0-9a-f-]{36})(?:\s|$)/.exec(description)?.[1] : undefined;
}

type Progress =
  | { readonly is: 'DONE' }
  | { readonly is: 'FAILED' }
  | { readonly is: 'OPEN' }
  /** A status that is not in the guide. */
  | { readonly is: 'UNKNOWN' };

function progressOf({ Status: status }: JsonObject): Progress {
  const word = String(status);
  if (word === 'Completed') return { is: 'DONE' };
  if (/error|fail|abort|cancel/i.test(word)) return { is: 'FAILED' };
  return /^(created|pending|running|in progress)$/i.test(word) ? { is: 'OPEN' } : { is: 'UNKNOWN' };
}

/** One job, with or without a list around it. Undefined if the job is unknown. */
function jobIn(value: JsonValue, id: string): JsonObject | undefined {
  const jobs = isObject(value) ? [value] : objectsIn(value);
  return jobs?.find((job) => String(job.ID) === id);
}

function describe(job: JsonObject): JsonObject {
  return {
    job: String(job.ID),
    status: job.Status ?? null,
    progress: job.Progress ?? null,
    summary: job.Summary ?? null,
    operation: job.Operation ?? null,
    description: job.Description ?? null,
    operationId: readMark(job.Description) ?? null,
    devices: job.RelatedObjects ?? [],
    createdBy: job.CreatedBy ?? null,
    created: job.Created ?? null,
    updated: job.LastUpdated ?? null,
  };
}

/** Its own message; the messages of the switches are in its sub-jobs (job.list). */
function failureOf(job: JsonObject): string {
  const summary = typeof job.Summary === 'string' && job.Summary !== '' ? `: ${job.Summary}` : '';
  return `Job ${String(job.ID)} is ${String(job.Status)}${summary}`.slice(0, 4_096);
}

/** NEO counts jobs from its database, which may be restored or new. Every write has its mark in the description of its job. */
function isAnothers({ Description: description }: JsonObject, operationId: string): boolean {
  const hasWords = typeof description === 'string' && description.trim() !== '';
  return hasWords && readMark(description) !== operationId;
}

const idOf = (accepted: JsonValue): string => (isObject(accepted) ? String(accepted.job) : '');

export const jobReader: JobReader<JsonObject, HttpReply> = {
  render: (accepted) => get(jobPath(idOf(accepted))),
  interpret(reply, accepted, _args, { operationId }) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'value') return { finding: 'UNREADABLE', message: answer.message };
    const id = idOf(accepted);
    const job = jobIn(answer.value, id);
    // If NEO no longer knows a job, its end is unknown.
    if (!job) return { finding: 'UNREADABLE', message: `NEO no longer knows the job ${id}.` };
    if (isAnothers(job, operationId))
      return {
        finding: 'UNREADABLE',
        message: `NEO has given the number ${id} to another job, for example because it was restored: look at the switches and give a verdict.`,
      };
    switch (progressOf(job).is) {
      case 'DONE':
        return { finding: 'SUCCEEDED', result: describe(job) };
      case 'FAILED':
        return { finding: 'FAILED', code: 'JOB_FAILED', message: failureOf(job) };
      case 'OPEN':
        return { finding: 'RUNNING', message: `Job ${id} is ${String(job.Status)}, ${String(job.Progress)} %.` };
      case 'UNKNOWN':
        return { finding: 'UNREADABLE', message: `Job ${id} is in the unknown state ${String(job.Status)}.` };
    }
  },
};

/** Whether a call with a lost answer became a job, and how that ended. `deletes`: a finished job means absence. */
export function probeOf(deletes: boolean): Probe<JsonObject, HttpReply> {
  const [done, notDone] = deletes ? (['ABSENT', 'PRESENT'] as const) : (['PRESENT', 'ABSENT'] as const);
  return {
    render: () => get(parentsPath),
    interpret(reply, _args, { operationId }) {
      const answer = readAnswer(reply);
      if (answer.kind !== 'value') return { finding: 'UNREADABLE', message: answer.message };
      const jobs = objectsIn(answer.value);
      if (!jobs) return { finding: 'UNREADABLE', message: "NEO's answer does not fit the request." };
      const job = jobs.find((each) => readMark(each.Description) === operationId);
      if (!job) return { finding: notDone };
      switch (progressOf(job).is) {
        case 'DONE':
          return { finding: done, own: true };
        case 'FAILED':
          // Some switches may have finished their part.
          return {
            finding: 'UNREADABLE',
            message: `${failureOf(job)}. Some switches may have carried it out: look at its sub-jobs and give a verdict.`,
          };
        default:
          return {
            finding: 'UNREADABLE',
            message: `NEO made it job ${String(job.ID)}, which is ${String(job.Status)}.`,
          };
      }
    },
  };
}

export const jobStatus: NeoOperation = {
  name: 'job.status',
  summary: 'Reads the progress of a job or sub-job.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ job: jobId }, ['job']),
  example: { job: '35' },
  render: (args) => get(jobPath(String(args.job))),
  interpret: (reply, args) => {
    const outcome = readOutcome(reply, (value) => {
      const job = jobIn(value, String(args.job));
      if (job) return describe(job);
      return objectsIn(value)?.length === 0 ? null : undefined;
    });
    if (outcome.state !== 'SUCCEEDED' || outcome.result !== null) return outcome;
    return { state: 'FAILED', code: 'NOT_FOUND', message: `NEO does not have a job ${String(args.job)}.` };
  },
};

export const jobList: NeoOperation = {
  name: 'job.list',
  summary: 'Lists the sub-jobs of a job (one per switch), the jobs of a switch, or all jobs without their sub-jobs.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ parent: jobId, device }),
  example: { parent: '35' },
  refine: (args) =>
    args.parent === undefined || args.device === undefined
      ? []
      : [{ path: ['device'], message: 'give at most one of parent and device' }],
  render: ({ parent, device: ofDevice }) => {
    if (parent !== undefined) return get(`${jobsPath}?parent_id=${encodeURIComponent(String(parent))}`);
    return get(ofDevice === undefined ? parentsPath : `${jobsPath}?object_ids=${String(ofDevice)}.system`);
  },
  interpret: (reply) =>
    readOutcome(reply, (value) => {
      const jobs = objectsIn(value);
      return jobs && { jobs: jobs.map(describe) };
    }),
};
