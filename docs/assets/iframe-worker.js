// The search runs in a worker, and browsers start no worker from file://. There this class runs its script in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((resolve) => {
        document.documentElement.appendChild(frame);
        const inner = frame.contentWindow;
        inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
        inner.importScripts = (...urls) => urls.reduce((done, each) => done.then(() => load(inner, each)), Promise.resolve());
        load(inner, url).then(() => resolve(inner));
      });
    }
    postMessage(data) {
      this.ready.then((inner) => inner.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
  const load = (inner, url) =>
    new Promise((resolve, reject) => {
      const script = inner.document.createElement("script");
      script.src = new URL(url, location.href);
      script.onload = resolve;
      script.onerror = reject;
      inner.document.head.appendChild(script);
    });
}
