// gRPC: grpc.health.v1.Health/Check answers SERVING (github.com/grpc/grpc/blob/master/doc/health-checking.md), over HTTP/2, with prior
// knowledge or TLS. The two messages have one field each, and are written by hand.
import { isIP, type Socket } from 'node:net';
import { connection, type End, reasonOf } from '../../../../../platform/checks/probes/connection.ts';
import { secure, type TlsOptions } from '../../../../../platform/checks/probes/tls.ts';
import { http2Over } from '../../../../../platform/net/http2-over.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { Checked, CheckPlugin } from './plugin.ts';

interface GrpcParameters extends TlsOptions {
  /** Name of the service to query. Default: the server as a whole. */
  readonly service?: string;
  readonly tls?: boolean;
}

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const mostReplyBytes = 4_096;

export const grpcPlugin: CheckPlugin<GrpcParameters> = {
  ...checkTypes.GRPC,
  check: (checked, run) => {
    const { host, address, port, parameters } = checked;
    const named = isIP(host) === 0 ? { serverName: host } : {};
    return connection({ host: address, port }, run, (socket, end) => {
      socket.once('connect', () => {
        if (parameters.tls !== true) return ask(socket, checked, end);
        const tls = { ...named, ...parameters, host: address, port, alpn: ['h2'] };
        secure(socket, tls, end, (secured) => ask(secured, checked, end));
      });
    });
  },
};

function ask(socket: Socket, { host, port, parameters }: Checked<GrpcParameters>, end: End): void {
  const { service = '', tls = false } = parameters;
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const scheme = tls ? 'https' : 'http';
  const session = http2Over(socket, `${scheme}://${authority}`);
  session.on('error', (error) => end(reasonOf(error)));
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', ':scheme': scheme, ':authority': authority },
    ...{ 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'tidegate-check' },
  });
  let reply = Buffer.alloc(0);
  let httpStatus: unknown;
  let grpcStatus: unknown;
  stream.on('response', (headers) => {
    httpStatus = headers[':status'];
    // A failure may come with its trailers alone.
    grpcStatus = headers['grpc-status'];
  });
  stream.on('trailers', (trailers) => {
    grpcStatus = trailers['grpc-status'] ?? grpcStatus;
  });
  stream.on('data', (bytes: Buffer) => {
    reply = Buffer.concat([reply, bytes]);
    if (reply.length > mostReplyBytes) end('its answer is not one of gRPC health');
  });
  stream.on('error', (error) => end(reasonOf(error)));
  stream.on('end', () => {
    if (httpStatus !== 200) return end(`it answered with status ${String(httpStatus)}`);
    if (grpcStatus !== undefined && grpcStatus !== '0') return end(`it answered with gRPC status ${grpcStatus}`);
    const status = servingStatus(reply);
    end(status === 'SERVING' ? null : `its health is ${status}`);
  });
  stream.on('close', () => end('it closed the stream before its answer was complete'));
  stream.end(requestFor(service));
}

/** A gRPC message (a flag, four bytes of length) with HealthCheckRequest: `string service = 1`. */
function requestFor(service: string): Buffer {
  const text = Buffer.from(service);
  const field = text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(text.length), text]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(field.length, 1);
  return Buffer.concat([head, field]);
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7]);
}

/** HealthCheckResponse: `ServingStatus status = 1`. Default 0. */
function servingStatus(reply: Buffer): string {
  if (reply.length < 5 || reply[0] !== 0 || reply.readUInt32BE(1) !== reply.length - 5) return 'unreadable';
  const message = reply.subarray(5);
  if (message.length === 0) return 'UNKNOWN';
  return (message[0] === 0x08 ? statuses[message[1] ?? -1] : undefined) ?? 'unreadable';
}
