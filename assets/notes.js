// The learner's notes in an address: packs them, and unpacks what somebody's address brought. Run each time one of both is
// asked for (src/site/lent.rs): what to do stands in the script's own data, the answer is an event at it, empty where there is none.
"use strict";

(() => {
  const script = document.currentScript;
  const { pack, unpack } = script.dataset;
  script.dataset.taken = "";
  // However short it came: more than this is nobody's notes.
  const bytesMost = 1e6;

  const through = async (bytes, stream) => {
    const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
    const parts = [];
    let size = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      size += step.value.length;
      if (size > bytesMost) {
        await reader.cancel();
        throw new Error("too large");
      }
    }
    return new Blob(parts).arrayBuffer();
  };
  // The alphabet of base64url (RFC 4648), which an address carries as it is.
  const toText = (bytes) =>
    btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  // The first letter says how the rest is to be read: z is zlib's format (RFC 1950), whose checksum tells damage; p is plain,
  // from a browser that cannot pack.
  const packed = async (text) => {
    const bytes = new TextEncoder().encode(text);
    return typeof CompressionStream === "undefined"
      ? `p${toText(bytes)}`
      : `z${toText(await through(bytes, new CompressionStream("deflate")))}`;
  };
  const unpacked = async (text) => {
    const bytes = toBytes(text.slice(1));
    if (text[0] !== "z" && text[0] !== "p") throw new Error("unknown");
    const plain = text[0] === "z" ? await through(bytes, new DecompressionStream("deflate")) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  };

  (unpack === undefined ? packed(pack) : unpacked(unpack))
    .catch(() => "")
    .then((detail) => script.dispatchEvent(new CustomEvent("told", { detail })))
    .finally(() => script.remove());
})();
