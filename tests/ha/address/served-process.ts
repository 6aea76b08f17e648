// Serves clients as `tidegate serve` does: it writes its process file, and ends connections a while after SIGUSR2. Arguments: port, file.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { noteServed } from '../../../ha/served-process.ts';

const [port, file = ''] = process.argv.slice(2);
const connections = new Set<Socket>();
const server = createServer((socket) => {
  connections.add(socket);
  socket.on('close', () => connections.delete(socket)).on('error', () => undefined);
  socket.write('welcome\n');
});
server.listen(Number(port));
await once(server, 'listening');
await noteServed(file);
process.on('SIGUSR2', () => {
  process.stdout.write('told\n');
  setTimeout(() => {
    for (const each of connections) each.end('bye\n');
  }, 200);
});
process.stdout.write('ready\n');
