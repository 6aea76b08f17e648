// Connects, and prints everything it receives. Arguments: address, port.
import { connect } from 'node:net';

const [host, port] = process.argv.slice(2);
const socket = connect({ host: host ?? '', port: Number(port) });
socket.on('error', (error) => process.stdout.write(`${error.message}\n`));
socket.pipe(process.stdout);
