// Identifies a node on its management address: its HAProxy answers GET /health with { node, incarnation }. An answer from another node, for
// example at a reassigned address, is a failure.

import { isDown, type Probe } from '../../../../platform/checks/probe.ts';
import { connection, type Where, whereSchema } from '../../../../platform/checks/probes/connection.ts';
import { isObject } from '../../../../platform/values/json.ts';

interface NodeProbeParameters extends Where {
  /** UUID. */
  readonly node: string;
}

export interface NodeCheckDetail {
  /** UUID of the HAProxy that answered. */
  readonly incarnation: string;
}

const mostBytes = 4_096;

interface NodeProbeListener {
  /** Whether the incarnation differs and must be recorded at once, although the status is unchanged. */
  isNews(nodeId: string, incarnation: string): boolean;
  /** The check was not made, because the policy of the control plane denies the node's address. */
  onDenied(nodeId: string, reason: string): void;
}

export function nodeProbe({ isNews, onDenied }: NodeProbeListener): Probe<NodeProbeParameters, NodeCheckDetail> {
  return {
    name: 'lb-node',
    parameters: {
      type: 'object',
      required: ['host', 'port', 'node'],
      additionalProperties: false,
      properties: { ...whereSchema, node: { type: 'string', minLength: 36, maxLength: 36 } },
    },
    async check({ node, ...where }, run) {
      const denial = run.egress.denial(where.host, where.port);
      if (denial !== undefined) {
        onDenied(node, denial.reason);
        return { ...isDown(denial.reason), denied: true };
      }
      let incarnation: string | undefined;
      const reading = await connection(where, run, (socket, end) => {
        let answer = '';
        const tryToEnd = (closed: boolean) => {
          const read = readAnswer(answer);
          if (read === undefined) {
            if (closed || answer.length > mostBytes) end('its answer does not identify the node');
          } else if (read.node !== node) end('another node answers at its address');
          else {
            ({ incarnation } = read);
            end(null);
          }
        };
        socket.setEncoding('latin1');
        socket.on('data', (text: string) => {
          answer += text;
          tryToEnd(false);
        });
        socket.once('end', () => tryToEnd(true));
        const authority = where.host.includes(':') ? `[${where.host}]` : where.host;
        socket.write(`GET /health HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`);
      });
      if (!reading.up || incarnation === undefined) return isDown(reading.message ?? 'it did not answer');
      return { up: true, message: null, detail: { incarnation }, notable: isNews(node, incarnation) };
    },
  };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value);
}

/** Undefined if it is incomplete or not an answer. */
function readAnswer(answer: string): { readonly node: string; readonly incarnation: string } | undefined {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0 || !/^HTTP\/1\.[01] 200 /.test(answer)) return undefined;
  try {
    const body: unknown = JSON.parse(answer.slice(headEnd + 4));
    if (!isObject(body)) return undefined;
    const { node, incarnation } = body;
    return isUuid(node) && isUuid(incarnation) ? { node, incarnation } : undefined;
  } catch {
    return undefined;
  }
}
