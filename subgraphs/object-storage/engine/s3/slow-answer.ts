// Answers for operations that may take longer than clients wait. As in S3, the answer starts early and white space is sent until the result
// is ready. An error may then come in an answer with status 200 (Amazon S3 API Reference, CompleteMultipartUpload and CopyObject).
import { type Call, errorXml, sendXml } from './call.ts';
import { S3Error, s3ErrorOf } from './errors.ts';

const everyMs = 10_000;

/** `work` returns a whole XML document. */
export async function answerInTime(call: Call, work: () => Promise<string>): Promise<void> {
  const { response } = call;
  const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n';
  const timer = setInterval(() => {
    if (response.headersSent) response.write('\n');
    else response.writeHead(200, { 'content-type': 'application/xml' }).write(prolog);
  }, everyMs);
  try {
    const xml = await work();
    if (!response.headersSent) return await sendXml(call, xml);
    response.end(xml.slice(prolog.length));
  } catch (error) {
    if (!response.headersSent) throw error;
    const refusal = s3ErrorOf(error) ?? new S3Error('InternalError', 'Internal error.');
    response.end(errorXml(call, refusal).slice(prolog.length));
    // For the log and the metrics: the status can't tell.
    throw error;
  } finally {
    clearInterval(timer);
  }
}
