// needs: processes
import { expect, test } from '@jest/globals';
import { traceContextOf } from '../../../gateway/supergraph/trace-context.ts';
import { TestGateway } from '../support/gateway.ts';

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const valid = `00-${trace}-${span}-01`;
const of = (traceparent: string, tracestate?: string) =>
  traceContextOf(
    new Map([['traceparent', traceparent], ...(tracestate === undefined ? [] : [['tracestate', tracestate] as const])]),
  );

test('a valid trace is passed on with its state', () => {
  expect(of(valid)).toEqual({ traceparent: valid });
  expect(of(valid, 'a=1,b=2')).toEqual({ traceparent: valid, tracestate: 'a=1,b=2' });
  expect(of(`cc-${trace}-${span}-01-later`)).toEqual({ traceparent: `cc-${trace}-${span}-01-later` });
  expect(traceContextOf(new Map([['tracestate', 'a=1']]))).toBeUndefined();
});

test.each([
  `ff-${trace}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `${valid}-more`,
  `${valid}, ${valid}`,
  '',
])('%s is not a trace', (traceparent) => {
  expect(of(traceparent, 'a=1')).toBeUndefined();
});

test.each(['a=\u0007', 'x'.repeat(513), ''])('an invalid state is left out: %j', (state) => {
  expect(of(valid, state)).toEqual({ traceparent: valid });
});

test('the endpoint reads the trace from the request', async () => {
  const gateway = await new TestGateway('in-process').start();
  try {
    const { body } = await gateway.post({ query: '{ traceparent }' }, 'token-ann', { traceparent: valid });
    expect(body.data).toEqual({ traceparent: valid });
    expect((await gateway.query('{ traceparent }')).body.data).toEqual({ traceparent: null });
  } finally {
    await gateway.stop();
  }
});
