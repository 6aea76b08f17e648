// The start page and the pages of backends, load balancers and names pass the checks of support/accessible.ts.
import { testViews } from '../support/accessible.ts';
import { describePages } from '../support/page-suite.ts';

testViews(describePages(), [
  '/',
  '/relay',
  '/relay?operation=o000002',
  '/relay?mapping=m1',
  '/relay?show=b3',
  '/loadbalancer',
  '/loadbalancer?balancer=lb1',
  '/loadbalancer?balancer=lb1&view=path',
  '/loadbalancer?balancer=lb1&view=statistics',
  '/loadbalancer?host=h1',
  '/loadbalancer?balancer=lb1&node=n1',
  '/loadbalancer?balancer=lb1&member=m1',
  '/gslb',
  '/gslb?gslb=g1',
  '/gslb?gslb=g1&view=path',
  '/gslb?gslb=g1&view=regions',
  '/gslb?gslb=g1&member=gm1',
]);
