// The namespace in memory, which the S3 tests use, and the real one pass the same tests.
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';
import { MemoryNamespace } from '../../../../support/object-storage/memory-namespace.ts';
import { namespaceContract } from '../../../../support/object-storage/namespace-contract.ts';

const caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'alice' };
const stranger = { accountId: 'b'.repeat(32), canWrite: true, name: 'bob' };

namespaceContract('The namespace in memory', async () => ({ namespace: new MemoryNamespace(), caller, stranger }));
namespaceContract('The namespace over clusters in memory', async () => ({
  namespace: new MemoryClusters().objects(0),
  caller,
  stranger,
}));
