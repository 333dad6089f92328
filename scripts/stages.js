// Usage: node scripts/stages.js decode|network <capture>
// Reads a capture as netdiag does and leaves something out, to see what each part costs: `decode` only reads and
// decodes, `network` keeps the tables as well and has no rules. Says how many frames there were.

const [stage, path] = process.argv.slice(2);
const built = new URL('../dist/', import.meta.url);
/** @type {typeof import('../src/capture/open.js')} */
const { openCapture } = await import(new URL('capture/open.js', built).href);
const source = await openCapture(path);

if (stage === 'decode') {
  /** @type {typeof import('../src/wire/decode.js')} */
  const { decode } = await import(new URL('wire/decode.js', built).href);
  /** @type {typeof import('../src/wire/frame.js')} */
  const { Frame } = await import(new URL('wire/frame.js', built).href);
  const frame = new Frame();
  await source.run(frame, decode);
  console.log(frame.number);
} else {
  /** @type {typeof import('../src/analyze.js')} */
  const { Analyzer } = await import(new URL('analyze.js', built).href);
  const analyzer = new Analyzer({}, { rules: [] });
  await analyzer.read(source);
  console.log(analyzer.analysis().captures[0].frames);
}
