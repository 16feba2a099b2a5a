//! Puts the files, which the threads read in any order, into the order of their paths.

use super::scanned::{ScannedFile, ScannedFiles};

/// One entry of a folder. The n-th `File` of a folder is the n-th file in the batches of the folder; `Folder` contains the id
/// of a subfolder.
#[derive(Debug)]
pub(super) enum Node {
    File,
    Folder(u32),
}

/// A folder of the scan; its nodes are in the order of paths. Id 0 is no real folder: its entries are the requested
/// paths.
#[derive(Debug)]
pub(super) struct Folder {
    pub id: u32,
    pub path: Vec<u8>,
    pub nodes: Vec<Node>,
}

/// Some files of a folder that one task read.
#[derive(Debug)]
pub(super) struct Batch {
    /// Id of the folder.
    pub folder: u32,
    /// Index of the first file among the files of the folder.
    pub first: usize,
    pub files: Vec<ScannedFile>,
}

/// Puts the files into the order of their paths.
pub(super) fn arrange(mut folders: Vec<Folder>, mut batches: Vec<Batch>) -> ScannedFiles {
    folders.sort_unstable_by_key(|folder| folder.id);
    batches.sort_unstable_by_key(|batch| (batch.folder, batch.first));
    let mut files: Vec<Vec<ScannedFile>> = folders.iter().map(|_| Vec::new()).collect();
    for batch in batches {
        if let Some(files) = files.get_mut(batch.folder as usize) {
            files.extend(batch.files);
        }
    }
    let (paths, nodes): (Vec<_>, Vec<_>) = folders
        .into_iter()
        .map(|folder| (folder.path.into_boxed_slice(), folder.nodes))
        .unzip();
    ScannedFiles {
        folders: paths,
        files: in_order(nodes, files),
    }
}

/// Returns the files of the folder with id 0 and of all folders below it, in the order of their paths. Uses no
/// recursion: a tree may be deep.
fn in_order(nodes: Vec<Vec<Node>>, files: Vec<Vec<ScannedFile>>) -> Vec<ScannedFile> {
    let mut ordered = Vec::with_capacity(files.iter().map(Vec::len).sum());
    let mut nodes: Vec<_> = nodes.into_iter().map(Vec::into_iter).collect();
    let mut files: Vec<_> = files.into_iter().map(Vec::into_iter).collect();
    // The ids of the folders from the root to the current one.
    let mut open_folders = vec![0_usize];
    while let Some(top) = open_folders.last().copied() {
        match nodes.get_mut(top).and_then(Iterator::next) {
            Some(Node::Folder(child)) => open_folders.push(child as usize),
            Some(Node::File) => ordered.extend(files.get_mut(top).and_then(Iterator::next)),
            None => {
                open_folders.pop();
            }
        }
    }
    ordered
}
