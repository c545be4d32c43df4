// Two helps for who has JavaScript; every page works without.
"use strict";

// The leg picture: pointing at a place ticks the box of the same name, and shows which are ticked.
for (const path of document.querySelectorAll("[data-region]")) {
  const box = document.getElementById("answer-" + path.dataset.region);
  if (!box) continue;
  const show = () => path.classList.toggle("chosen", box.checked);
  path.addEventListener("click", () => {
    box.checked = !box.checked;
    show();
  });
  box.addEventListener("change", show);
  show();
}

// The exercise timer: counts down the seconds chosen, says when to change, and how often it has run.
for (const timer of document.querySelectorAll("[data-timer]")) {
  const [seconds, button, said] = ["input", "button", "output"].map((name) => timer.querySelector(name));
  let left = 0, rounds = 0, ticking = 0;
  const stop = (words) => {
    clearInterval(ticking);
    ticking = 0;
    button.textContent = "Start";
    said.textContent = words;
  };
  button.addEventListener("click", () => {
    if (ticking) return stop("Stopped.");
    left = Math.min(Math.max(Number.parseInt(seconds.value, 10) || 30, 1), 3600);
    button.textContent = "Stop";
    said.textContent = left + " seconds left";
    ticking = setInterval(() => {
      left -= 1;
      if (left > 0) {
        if (left % 10 === 0 || left <= 3) said.textContent = left + " seconds left";
        return;
      }
      rounds += 1;
      stop("Done " + rounds + (rounds === 1 ? " time." : " times."));
    }, 1000);
  });
  timer.hidden = false;
}
