"""A PAR/REC pair of version 4.2, built from a classic series' voxels."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.build.dicom import MrSeries

COLUMNS = """slice number                             (integer)
echo number                              (integer)
dynamic scan number                      (integer)
cardiac phase number                     (integer)
image_type_mr                            (integer)
scanning sequence                        (integer)
index in REC file (in images)            (integer)
image pixel size (in bits)               (integer)
scan percentage                          (integer)
recon resolution (x y)                   (2*integer)
rescale intercept                        (float)
rescale slope                            (float)
scale slope                              (float)
window center                            (integer)
window width                             (integer)
image angulation (ap,fh,rl in degrees )  (3*float)
image offcentre (ap,fh,rl in mm )        (3*float)
slice thickness (in mm )                 (float)
slice gap (in mm )                       (float)
image_display_orientation                (integer)
slice orientation ( TRA/SAG/COR )        (integer)
fmri_status_indication                   (integer)
image_type_ed_es  (end diast/end syst)   (integer)
pixel spacing (x,y) (in mm)              (2*float)
echo_time                                (float)
dyn_scan_begin_time                      (float)
trigger_time                             (float)
diffusion_b_factor                       (float)
number of averages                       (integer)
image_flip_angle (in degrees)            (float)
cardiac frequency   (bpm)                (integer)
minimum RR-interval (in ms)              (integer)
maximum RR-interval (in ms)              (integer)
TURBO factor  <0=no turbo>               (integer)
Inversion delay (in ms)                  (float)
diffusion b value number    (imagekey!)  (integer)
gradient orientation number (imagekey!)  (integer)
contrast type                            (string)
diffusion anisotropy type                (string)
diffusion (ap, fh, rl)                   (3*float)
label type (ASL)            (imagekey!)  (integer)"""

INDEX, BITS, SLOPE, ANGULATION, CENTRE = 6, 7, 12, slice(16, 19), slice(19, 22)
"""Columns of an image line: index in the REC, bits of a pixel, rescale slope, angles and off-centre (ap, fh, rl)."""


@dataclass(frozen=True)
class ParRec:
    """A PAR/REC pair; its series number is 100 x acquisition number + reconstruction number."""

    acquisition: int = 2
    reconstruction: int = 1
    protocol: str = "WIP T1w"
    patient: str = "Doe^Jane"
    slices: int = 3
    volumes: int = 1
    rows: int = 8
    columns: int = 6
    newline: str = "\r\n"

    def files(self, stem: str = "scan", par: str = ".PAR", rec: str = ".REC") -> dict[str, bytes]:
        """Return file name -> bytes of both files."""
        return {stem + par: self.par().encode("latin-1"), stem + rec: self.rec()}

    def rec(self) -> bytes:
        """Return the voxels: volume by volume, slice by slice."""
        series = MrSeries(slices=self.slices, volumes=self.volumes, rows=self.rows, columns=self.columns)
        return b"".join(series.volume(t).astype("<u2").tobytes() for t in range(self.volumes))

    def par(self) -> str:
        """Return the text of the PAR."""
        size = (4.0 * self.slices, 3.0 * self.rows, 3.0 * self.columns)
        general = {
            "Patient name": self.patient,
            "Examination name": "Brain",
            "Protocol name": self.protocol,
            "Examination date/time": "2024.01.15 / 10:15:00",
            "Series Type": "Image   MRSERIES",
            "Acquisition nr": self.acquisition,
            "Reconstruction nr": self.reconstruction,
            "Scan Duration [sec]": 20,
            "Max. number of cardiac phases": 1,
            "Max. number of echoes": 1,
            "Max. number of slices/locations": self.slices,
            "Max. number of dynamics": self.volumes,
            "Max. number of mixes": 1,
            "Patient position": "Head First Supine",
            "Preparation direction": "Anterior-Posterior",
            "Technique": "FEEPI",
            "Scan resolution  (x, y)": f"{self.columns} {self.rows}",
            "Scan mode": "MS",
            "Repetition time [ms]": 2000.0,
            "FOV (ap,fh,rl) [mm]": f"{size[1]} {size[0]} {size[2]}",
            "Water Fat shift [pixels]": 9.6,
            "Angulation midslice(ap,fh,rl)[degr]": "0.000 0.000 0.000",
            "Off Centre midslice(ap,fh,rl) [mm]": "0.000 0.000 0.000",
            "Flow compensation <0=no 1=yes> ?": 0,
            "Presaturation     <0=no 1=yes> ?": 0,
            "Phase encoding velocity [cm/sec]": "0.000 0.000 0.000",
            "MTC               <0=no 1=yes> ?": 0,
            "SPIR              <0=no 1=yes> ?": 0,
            "EPI factor        <0,1=no EPI>": 39,
            "Dynamic scan      <0=no 1=yes> ?": int(self.volumes > 1),
            "Diffusion         <0=no 1=yes> ?": 0,
            "Diffusion echo time [ms]": 0.0,
            "Max. number of diffusion values": 1,
            "Max. number of gradient orients": 1,
            "Number of label types   <0=no ASL>": 0,
        }
        lines = ["# === DATA DESCRIPTION FILE ======================================", "#"]
        lines += ["# Dataset name: scan", "#"]
        lines += ["# CLINICAL TRYOUT             Research image export tool     V4.2", "#"]
        lines += ["# === GENERAL INFORMATION ========================================", "#"]
        lines += [f".    {key:<35}:   {value}" for key, value in general.items()]
        lines += ["#", "# === IMAGE INFORMATION DEFINITION ============================", "#"]
        lines += [f"#  {column}" for column in COLUMNS.splitlines()]
        lines += ["#", "# === IMAGE INFORMATION ======================================="]
        # dcm2niix needs this line, and the empty one: it ends with SIGFPE without them.
        lines += ["#  sl ec  dyn ph ty    idx pix scan% rec size                (re)scale", ""]
        lines += [self._image(t, z) for t in range(self.volumes) for z in range(self.slices)]
        lines += ["", "# === END OF DATA DESCRIPTION FILE ==============================="]
        return self.newline.join(lines) + self.newline

    def edited(self, edit: Callable[[int, list[str]], None]) -> str:
        """Return the text of the PAR after `edit` changed the words of each image line; lines count from 0."""
        lines, count = self.par().split(self.newline), 0
        for number, line in enumerate(lines):
            words = line.split()
            if words and words[0].isdecimal():
                edit(count, words)
                lines[number] = "  " + " ".join(words)
                count += 1
        return self.newline.join(lines)

    def _image(self, volume: int, z: int) -> str:
        index = volume * self.slices + z
        middle = (self.slices - 1) / 2
        start = f"{z + 1} 1 {volume + 1} 1 0 2 {index} 16 100 {self.columns} {self.rows}"
        scaling = "0.00000 1.00000 1.00000e+00 1070 1860"
        geometry = f"0.00 0.00 0.00 0.00 {4.0 * (z - middle):.2f} 0.00 3.00 1.00 0 1 0 2 3.000 3.000"
        times = f"30.00 {2.0 * volume:.2f} 0.00 0.00 1 77.00 0 0 0 39 0.0 1 1 7 0 0.000 0.000 0.000 1"
        return f"  {start} {scaling} {geometry} {times}"
