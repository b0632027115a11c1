/**
 * A few bars in the song's own tempo, key and mood, for catalogues without previews. It is honest about what it is:
 * not the song, but what its numbers sound like. Energy drives drums and brightness, danceability the beat,
 * acousticness turns the synthesiser into something plucked.
 */

/** @typedef {import("./api.js").Song} Song */

const MAJOR = [0, 2, 4, 5, 7, 9, 11];
const MINOR = [0, 2, 3, 5, 7, 8, 10];
/** Degrees of four chords: glad, wistful. */
const PROGRESSIONS = { glad: [0, 4, 5, 3], wistful: [5, 3, 0, 4], dark: [0, 5, 3, 4] };
const BARS = 6;

/**
 * @param {Song} song
 * @param {() => void} ended
 * @returns {() => void} stops it
 */
export function sketch(song, ended) {
  const f = song.audio_features;
  const energy = f.energy ?? 0.5;
  const valence = f.valence ?? 0.5;
  const plucked = (f.acousticness ?? 0.3) > 0.5;
  const beat = 60 / Math.min(170, Math.max(60, f.tempo_bpm ?? 105));
  const scale = f.mode === 0 ? MINOR : MAJOR;
  const chords = PROGRESSIONS[f.mode === 0 ? "dark" : valence > 0.5 ? "glad" : "wistful"];
  const root = 48 + (f.key ?? 0) - ((f.key ?? 0) > 6 ? 12 : 0);

  const context = new AudioContext();
  const out = context.createDynamicsCompressor();
  const volume = context.createGain();
  volume.gain.value = 0.32;
  volume.connect(out).connect(context.destination);
  const t0 = context.currentTime + 0.06;

  const hertz = (/** @type {number} */ degree, octave = 0) =>
    440 * 2 ** ((root + scale[degree % 7] + 12 * (octave + Math.floor(degree / 7)) - 69) / 12);

  /** @param {number} frequency @param {number} at @param {number} length @param {OscillatorType} type @param {number} gain */
  function tone(frequency, at, length, type, gain) {
    const oscillator = new OscillatorNode(context, { type, frequency });
    const filter = new BiquadFilterNode(context, { type: "lowpass", frequency: 500 + 4200 * energy * (plucked ? 0.6 : 1), Q: 0.8 });
    const envelope = context.createGain();
    envelope.gain.setValueAtTime(0, at);
    envelope.gain.linearRampToValueAtTime(gain, at + (plucked ? 0.006 : 0.05));
    envelope.gain.exponentialRampToValueAtTime(0.001, at + length * (plucked ? 1.4 : 1));
    oscillator.connect(filter).connect(envelope).connect(volume);
    oscillator.start(at);
    oscillator.stop(at + length * 1.5);
  }

  /** @param {number} at */
  function kick(at) {
    const oscillator = new OscillatorNode(context, { frequency: 130 });
    const envelope = context.createGain();
    oscillator.frequency.exponentialRampToValueAtTime(42, at + 0.12);
    envelope.gain.setValueAtTime(0.7 * energy, at);
    envelope.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
    oscillator.connect(envelope).connect(volume);
    oscillator.start(at);
    oscillator.stop(at + 0.22);
  }

  const drums = energy > 0.4 && (f.danceability ?? 0.5) > 0.35;
  for (let bar = 0; bar < BARS; bar += 1) {
    const chord = chords[bar % 4];
    const start = t0 + bar * 4 * beat;
    for (const step of [0, 2, 4]) tone(hertz(chord + step), start, 4 * beat, plucked ? "triangle" : energy > 0.65 ? "sawtooth" : "sine", 0.16);
    tone(hertz(chord, -1), start, 3.6 * beat, "triangle", 0.3);
    const notes = energy > 0.5 ? 8 : 4;
    for (let i = 0; i < notes; i += 1) tone(hertz(chord + [0, 2, 4, 7, 4, 2, 4, 9][(i * (valence > 0.5 ? 1 : 3)) % 8], 1), start + (i * 4 * beat) / notes, beat * 0.8, "triangle", 0.11);
    if (drums) for (let i = 0; i < 4; i += 1) kick(start + i * beat);
  }
  const timer = setTimeout(ended, (BARS * 4 * beat + 0.6) * 1000);
  return () => {
    clearTimeout(timer);
    void context.close();
  };
}
