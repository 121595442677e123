/** The picture over the whole page: first fitted, another tap shows its true size. */

const dialog = document.getElementById("picture");
const image = document.getElementById("picture-image");
const close = document.getElementById("picture-close");

export function openPicture(picture) {
  image.src = picture.src;
  image.alt = picture.alt;
  dialog.classList.remove("full");
  dialog.setAttribute("aria-label", picture.alt);
  dialog.showModal();
}

export function namePictureClose(word) {
  close.textContent = word;
}

close.addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === image) dialog.classList.toggle("full");
  else dialog.close(); // a tap beside the picture
});
