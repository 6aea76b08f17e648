// The probes that every checker has.
import type { Probe } from '../probe.ts';
import { httpProbe, httpsProbe } from './http.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';

export const standardProbes: readonly Probe<never>[] = [tcpProbe, httpProbe, httpsProbe, tlsProbe];
