// The time of a page of 100 items with its total at a million rows: each order and filter of the large lists, requested from the subgraph
// by an administrator and by a member of a project with 1 % of the rows.
import { loadavg } from 'node:os';
import { ArgumentError } from '../measure/arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { rounded } from '../measure/statistics.ts';
import { layOutTemplate } from '../tests/support/stores/database-template.ts';
import { TestServers } from '../tests/support/stores/servers.ts';
import { measureLists, questionCount } from './lists/measure.ts';
import { measuredLists } from './lists/questions.ts';

const counts = {
  rows: { help: 'of each table', usual: 1_000_000 },
  samples: { help: 'of each question', usual: 100 },
};

export const benchLists = defineBench({
  counts,
  options: { lists: 'measured lists, separated by commas; default: all' },
  run,
});

/** As a share of the p99 on a quiet machine. */
const slowMs = 50;
/** The rows of a page and its count that no index sorts: the rows of a few merged ranges. */
const mostSorted = 400;
/** Memory like that of a server for this many rows. With a slow log, prepared statements keep their values for the general log. */
const databaseArguments = [
  ...['--innodb-buffer-pool-size=2G', '--innodb-log-file-size=1G'],
  ...['--slow-query-log=ON', '--long-query-time=3600'],
];

async function run({
  counts: given,
  options,
  timeIsUp,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const fields = fieldsOf(options.lists);
  await using stack = new AsyncDisposableStack();
  const servers = stack.adopt(await TestServers.start(databaseArguments), (each) => each.stop());
  servers.publish(await layOutTemplate(servers));
  const loadBefore = load();
  const questions = await measureLists({ ...given, fields, slowMs, timeIsUp, progress, signal });
  const slow = questions.filter(({ p99Ms }) => p99Ms > slowMs);
  const faults = questions.flatMap(({ list, order, filter, caller, rowsSorted, errors }) => {
    const name = `${list} ${order} ${filter} of ${caller}`;
    return [
      ...(rowsSorted > mostSorted ? [`${name} sorts ${rowsSorted} rows`] : []),
      ...errors.map((message) => `${name}: ${message}`),
    ];
  });
  return {
    figures: {
      over50Ms: slow.length,
      notAsked: questionCount(fields) - questions.length,
      questions,
      loadBefore,
      load: load(),
    },
    faults,
  };
}

/** Throws ArgumentError. */
function fieldsOf(text: string | undefined): readonly string[] | undefined {
  const fields = text?.split(',');
  const known = measuredLists.map(({ field }) => field);
  const unknown = fields?.find((field) => !known.includes(field));
  if (unknown !== undefined) throw new ArgumentError(`--lists: no list '${unknown}'; there are ${known.join(', ')}`);
  return fields;
}

function load(): number {
  return rounded(loadavg()[0] ?? Number.NaN, 1);
}
