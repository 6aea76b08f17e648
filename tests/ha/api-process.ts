// Answers like the API of a host, and notes itself for the agent. Argument: the file.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { noteServed } from '../../ha/served-process.ts';

const server = createServer((asked, answer) => void answer.writeHead(asked.url === '/health/live' ? 200 : 404).end());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await noteServed(process.argv[2] ?? '', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
