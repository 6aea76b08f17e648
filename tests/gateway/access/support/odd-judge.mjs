// Stands in for the judge's process, and does what the document text says. The token count of each verdict identifies the process that gave
// it.
process.on('message', (message) => {
  if (message.supergraphSdl === 'refused') return process.send({ kind: 'fault', reason: 'no' });
  if (message.supergraphSdl !== undefined) return process.send({ kind: 'ready' });
  const { text } = message;
  if (text.includes('end')) {
    process.stderr.write('last words\n');
    process.abort();
  }
  if (text.includes('memory')) {
    const kept = [];
    for (;;) kept.push(Array.from({ length: 1_000 }, () => ({})));
  }
  if (text.includes('never')) for (;;);
  const answer = () => process.send({ kind: 'valid', tokens: process.pid });
  if (text.includes('slow')) return setTimeout(answer, 200);
  return answer();
});
process.on('disconnect', () => process.exit(0));
