import { http, type ReplyRows } from '../../support/replies.ts';

export const replies: ReplyRows = {
  unreadable: [
    ['HTML', http(200, '<html><title>NEO</title></html>')],
    ['a gateway', http(502)],
    ['too slow', http(408)],
    ["NEO's own error", http(500, '<html><title>500 Internal Server Error</title></html>')],
    ['no job', http(200, '{}')],
    ['a job at another path', http(202, '', { headers: { location: 'https://evil.example/jobs/1' } })],
    ['a job that is not a number', http(202, '', { headers: { location: '/neo/app/jobs/../users' } })],
    ['two jobs', http(202, '<a href="/neo/app/jobs/35">a</a> <a href="/neo/app/jobs/36">b</a>')],
    ['a sub-job', http(202, '"/neo/app/jobs/35.1"')],
    ['words around a job', http(202, '{"description":"as app/jobs/35 did"}')],
    ['a path below a job', http(202, '"/neo/app/jobs/35/log"')],
  ],
  readable: ['no job'],
};
