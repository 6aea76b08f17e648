// NEO's jobs: each write is one, with a sub-job for each switch. NVIDIA NEO REST API Guide 2.7.20, Jobs; the values of `Status`
// are from that page and from Services (`Completed With Errors`).

import type { JsonObject } from './json.ts';

interface SubJob {
  readonly ip: string;
  readonly text: string;
  /** Makes the change on the switch; returns an error or nothing. Undefined if NEO was restarted before it. */
  readonly run?: (() => string | undefined) | undefined;
  end?: { readonly error: string | undefined; readonly at: number };
}

interface Job {
  readonly id: number;
  readonly operation: string;
  readonly description: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly subJobs: readonly SubJob[];
}

/** The oldest disappear. */
const mostJobs = 1_000;

interface JobKnobs {
  /** From accepted to done, one switch after the other; a quarter of it is `Pending`. Infinity: until lowered. */
  jobMs: number;
  /** Whether a single id is answered with a list or, as in the guide, with only the job. */
  singleJobAs: 'list' | 'object';
  /** How a write names its job: the guide's Location, or what the NEO SDK and networking-mlnx read: JSON, or a page with a link. */
  namedIn: 'location' | 'json' | 'page';
}

type NewJob = Pick<Job, 'operation' | 'description' | 'createdBy'> & {
  readonly subJobs: readonly Omit<SubJob, 'end'>[];
};

export class Jobs {
  readonly knobs: JobKnobs = { jobMs: 20, singleJobAs: 'list', namedIn: 'location' };
  #jobs = new Map<number, Job>();
  readonly #now: () => number;
  #last = 34;

  constructor(now: () => number) {
    this.#now = now;
  }

  get state(): unknown {
    const jobs = [...this.#jobs].map(([id, job]): [number, Job] => {
      return [id, { ...job, subJobs: job.subJobs.map(({ run: _run, ...rest }) => rest) }];
    });
    return { jobs: new Map(jobs), last: this.#last };
  }

  restore(state: unknown): void {
    const { jobs, last } = state as { jobs: Map<number, Job>; last: number };
    this.#jobs = jobs;
    this.#last = last;
  }

  /** Returns its id. */
  add(job: NewJob): number {
    for (const id of this.#jobs.keys()) if (this.#jobs.size >= mostJobs) this.#jobs.delete(id);
    this.#last += 1;
    this.#jobs.set(this.#last, { ...job, id: this.#last, createdAt: this.#now() });
    return this.#last;
  }

  /** Executes due jobs. False if there are none. */
  advance(): boolean {
    const now = this.#now();
    let executed = false;
    for (const job of this.#jobs.values()) {
      for (const [index, subJob] of job.subJobs.entries()) {
        const due = job.createdAt + (this.knobs.jobMs * (index + 1)) / Math.max(job.subJobs.length, 1);
        if (subJob.end || due > now) continue;
        subJob.end = { error: subJob.run === undefined ? interrupted : subJob.run(), at: now };
        executed = true;
      }
    }
    return executed;
  }

  /** Old jobs disappear after a while. */
  purge(): void {
    this.#jobs.clear();
  }

  /** Jobs and sub-jobs by id, `35` or `35.1`; unknown ones are left out. */
  byIds(ids: readonly string[]): readonly JsonObject[] {
    const all = new Map(this.#all().map((shown) => [String(shown.ID), shown]));
    return ids.map((id) => all.get(id)).filter((shown) => shown !== undefined);
  }

  parents(): readonly JsonObject[] {
    return [...this.#jobs.values()].map((job) => this.#showJob(job));
  }

  subJobsOf(parent: string): readonly JsonObject[] {
    const job = this.#jobs.get(Number(parent));
    return job ? job.subJobs.map((_, index) => this.#showSubJob(job, index)) : [];
  }

  /** Jobs about systems, by their ids: `10.0.0.1.system`. */
  ofSystems(ids: readonly string[]): readonly JsonObject[] {
    const ips = ids.map((id) => id.replace(/\.system$/, ''));
    return this.#all().filter((shown) => (shown.RelatedObjects as readonly string[]).some((ip) => ips.includes(ip)));
  }

  all(): readonly JsonObject[] {
    return this.#all();
  }

  #all(): JsonObject[] {
    return [...this.#jobs.values()].flatMap((job) => [
      this.#showJob(job),
      ...job.subJobs.map((_, index) => this.#showSubJob(job, index)),
    ]);
  }

  #showJob(job: Job): JsonObject {
    const ended = job.subJobs.filter((subJob) => subJob.end);
    const failed = ended.filter((subJob) => subJob.end?.error !== undefined);
    const done = ended.length === job.subJobs.length;
    const progress = Math.round((100 * ended.length) / Math.max(job.subJobs.length, 1));
    return {
      ...this.#show(job, String(job.id), progress, done, failed.length > 0),
      RelatedObjects: job.subJobs.map((subJob) => subJob.ip),
      Summary: failed.map((subJob) => `${subJob.ip}: ${subJob.end?.error ?? ''}`).join('\n'),
    };
  }

  #showSubJob(job: Job, index: number): JsonObject {
    const subJob = job.subJobs[index] as SubJob;
    const done = subJob.end !== undefined;
    return {
      ...this.#show(job, `${job.id}.${index + 1}`, done ? 100 : 0, done, subJob.end?.error !== undefined),
      RelatedObjects: [subJob.ip],
      Summary: subJob.end?.error === undefined ? subJob.text : `${subJob.text}\n${subJob.end.error}`,
    };
  }

  #show(job: Job, id: string, progress: number, done: boolean, failed: boolean): JsonObject {
    const pending = this.#now() - job.createdAt < this.knobs.jobMs / 4;
    return {
      ID: id,
      Status: done ? (failed ? 'Completed With Errors' : 'Completed') : pending ? 'Pending' : 'Running',
      Progress: progress,
      Operation: job.operation,
      // With a blank before it, as in the guide's samples.
      Description: ` ${job.description}`,
      CreatedBy: job.createdBy,
      Created: stamp(job.createdAt),
      LastUpdated: stamp(Math.max(job.createdAt, ...job.subJobs.map((subJob) => subJob.end?.at ?? 0))),
      Foreground: true,
    };
  }
}

const interrupted = 'Interrupted by a restart of NEO';

const stamp = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
