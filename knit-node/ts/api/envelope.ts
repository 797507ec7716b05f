/**
 * A header that is cheap to look at beside a body: both travel as values.
 */
export class Envelope<H = unknown, B = unknown> {
  readonly header: H;
  readonly body: B;

  constructor(header: H, body: B) {
    this.header = header;
    this.body = body;
  }
}
