import type { CaptureSource } from '../../capture/source.js';
import type { Status } from '../../tui/session.js';
import { progressLine } from '../progress.js';

/** What the status line of the view tells of a reading. */
export class ReadingStatus {
  #source: CaptureSource | null = null;
  #began = 0;
  #ended: string | null = null;

  begin(source: CaptureSource): void {
    this.#source = source;
    this.#began = performance.now();
  }

  /** @param text what is left to say, safe to print */
  end(text: string): void {
    this.#ended = text;
  }

  get(): Status {
    if (this.#ended !== null) return { state: 'done', text: this.#ended };
    if (this.#source === null) return { state: 'reading', text: 'opening' };
    const [, ...parts] = progressLine(this.#source, (performance.now() - this.#began) / 1000).split('  ');
    return { state: 'reading', text: parts.join('  ') };
  }
}
