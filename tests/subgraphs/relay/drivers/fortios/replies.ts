import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { DriverOperation, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { renderContext } from '../../support/render-context.ts';
import { cli, http, type Named, type ReplyRows } from '../../support/replies.ts';

/** The envelope of the API's answer to the operation's example; undefined over another wire. */
function envelopeOf(operation: DriverOperation): JsonObject | undefined {
  const checked = validateArguments(operation, operation.example);
  const args: JsonObject = checked.ok ? checked.args : {};
  const call = operation.render(args, renderContext(fortios));
  if (call.kind !== 'http') return undefined;
  const url = new URL(call.path, 'https://gate');
  const [path, name, mkey] = url.pathname.replace('/api/v2/cmdb/', '').split('/').map(decodeURIComponent);
  const key = mkey ?? String(args.name);
  const vdom = url.searchParams.get('vdom');
  return { http_method: call.method, path: path ?? '', name: name ?? '', vdom, mkey: key, status: 'success' };
}

const json = (object: JsonObject, status = 200) => http(status, { ...object, http_status: status });
const save = (output: string) => cli([{ line: 'execute cfg save', output }]);

const pages: readonly Named[] = [
  ['nothing', http(200)],
  ['a web page', http(200, '<html><head><title>FortiGate</title></head></html>')],
  ['a page of a proxy', http(502, '<html><head><title>502 Bad Gateway</title></head></html>')],
  ['an error page of the device', http(500, '<html><title>500 Internal Server Error</title></html>')],
  ['no answer behind a proxy', http(504)],
  ['JSON of another kind', http(200, '[1, null, "x"]')],
  ['a redirection', http(302, '', { headers: { location: '/login' } })],
];

function unreadable(operation: DriverOperation): readonly Named[] {
  const good = envelopeOf(operation);
  if (good === undefined)
    return [
      ['a question', save('Do you want to continue? (y/n)')],
      ['a truncated reply', cli([{ line: 'execute cfg save', output: '' }], { truncated: true })],
      ['nothing typed', cli([])],
    ];
  if (operation.name === 'system.info') return pages;
  const { status: _status, ...withoutStatus } = good;
  return [
    ...pages,
    ['half of the JSON', http(200, JSON.stringify(good).slice(0, -5))],
    ['a list for all domains', http(200, [{ ...good, http_status: 200 }])],
    ['an answer about another table', json({ ...good, name: 'else' })],
    ['an answer about another domain', json({ ...good, vdom: 'elsewhere' })],
    ['a yes without the word', json(withoutStatus)],
    ['a yes with the status of an error', http(200, { ...good, http_status: 500 })],
    ['an error that says yes', json(good, 500)],
    ['an error without a number', json({ ...good, status: 'error' }, 500)],
    ['a number 0', json({ ...good, status: 'error', error: 0 }, 500)],
    ['a time-out inside the device', json({ ...good, status: 'error', error: -360 }, 500)],
    ['a truncated reply', { ...json(good), truncated: true }],
  ];
}

export const replies: ReplyRows = {
  unreadable,
  changes(operation) {
    const good = envelopeOf(operation);
    if (good === undefined) return [];
    const missing = (status: number) => json({ ...good, status: 'error', error: -3 }, status);
    return [
      ['another entry', json({ ...good, mkey: 'another' }), 'UNKNOWN'],
      ...[400, 401, 403, 405, 424].map(
        (status) => [`HTTP ${status}`, http(status, '<html>'), 'FAILED DEVICE_REFUSED'] as const,
      ),
      ['HTTP 429', http(429, '<html>'), 'FAILED DEVICE_BUSY'],
      // Only the API itself can report an entry as absent.
      ['a page that is not found', http(404, '<html>Not Found</html>'), 'FAILED NOT_FOUND'],
      ['no entry', missing(404), `FAILED NOT_FOUND${operation.mapping === 'deletes' ? ' absent' : ''}`],
      ['no object that it refers to', missing(500), 'FAILED NOT_FOUND'],
    ];
  },
  reads(operation) {
    const good = envelopeOf(operation) ?? {};
    return operation.name === 'system.info'
      ? []
      : [['no list', json({ ...good, results: 'none' }), 'FAILED UNREADABLE_REPLY']];
  },
  looks: (operation) => [
    ['another entry', json({ ...envelopeOf(operation), results: [{ name: 'else', policyid: 99 }] }), 'UNREADABLE'],
  ],
  health: [
    ['no build', http(200, '{"status":"success","version":"v7.4.5"}'), undefined],
    ['an error', http(500, '{"status":"success","version":"v7.4.5","build":1,"serial":"x"}'), undefined],
    [
      'cut short',
      http(200, '{"status":"success","version":"v7.4.5","build":1,"serial":"x"}', { truncated: true }),
      undefined,
    ],
    ['a command line', save('Unknown action 0'), undefined],
  ],
};
